--[[
  release: take back what each of the ended has, or its place on standby, and give on what is free.
  Mirrors domain::turnstile::release. Idempotent per ended one: asked again, repeats its answer. Each is a turn of its own;
  what is not known is a turn without effect.

  KEYS  1 sale          hash  figures
        2 returned      zset  units handed back
        3 live          hash  reservation -> what it has, or waits for
        4 buyers        hash  buyer -> live reservation
        5 answers       hash  cause -> answer
        6 answered      list  causes, oldest first
        7-14 lines      zset  for each party size, who waits, by arrival
  ARGV  1 generation    the caller's
        2 revision      the highest the caller knows
        3 chain         of that revision
        4- ended        `reservation`, 32 hexadecimal digits, of all that it has; or `reservation of units` of a part: the
                        reservation that has the units, joined by commas, and keeps its others. None of them asks only
                        whether the two histories are one
  REPLY for each, `revision chain before`, and for each promotion ` reservation:units`; or
        STALE           nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, revision, chain = ARGV[1], ARGV[2], ARGV[3]
local ended = { unpack(ARGV, 4) }

local sale = stand(key, generation, revision, chain)
if not sale then return 'STALE' end

-- All that a reservation has, or the units of `part` that it still has.
local function take_back(reservation, part)
  local standing = redis.call('HGET', key.live, reservation)
  local code, buyer, what = string.match(standing or '', '^(%u) (%d+) ([%d,]+)')
  if not code or (part and code == 'S') then return end
  local back, rest = {}, {}
  for unit in string.gmatch(code == 'T' and what or '', '%d+') do
    if not part or part[unit] then
      push(back, unit, unit)
    else
      rest[#rest + 1] = unit
    end
  end
  bulk('ZADD', key.returned, back)
  sale.returned = sale.returned + #back / 2
  sale.free = free(sale)
  if #rest > 0 then
    redis.call('HSET', key.live, reservation, 'T ' .. buyer .. ' ' .. table.concat(rest, ','))
    return
  end
  redis.call('HDEL', key.live, reservation)
  redis.call('HDEL', key.buyers, buyer)
  if code == 'S' then
    redis.call('ZREM', key.lines[tonumber(what)], reservation)
    sale.waiting = sale.waiting - 1
  end
end

local causes = {}
for i, one in ipairs(ended) do
  causes[i] = 'r:' .. string.match(one, '^%x+')
end
local answers, reply = recall(key, causes), {}
for i, cause in ipairs(causes) do
  if not answers.given[cause] then
    local reservation, of, units = string.match(ended[i], '^(%x+) ?(%x*) ?([%d,]*)$')
    local part = of ~= '' and {}
    for unit in string.gmatch(units, '%d+') do
      part[unit] = true
    end
    take_back(part and of or reservation, part)
    local promotions = promote(key, sale)
    keep(answers, cause, advance(sale, cause) .. promotions)
  end
  reply[i] = answers.given[cause]
end
remember(key, answers)
save(key, sale)
return reply
