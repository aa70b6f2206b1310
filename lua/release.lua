--[[
  release: take back what each reservation holds, or its place on standby, and give on what is free.
  Mirrors domain::turnstile::release. Idempotent per reservation: asked again, repeats its answer. Each is a turn of its own;
  one that is not known is a turn without effect.

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
        4- reservations 32 hexadecimal digits each; none of them asks only whether the two histories are one
  REPLY for each reservation, `revision chain before`, and for each promotion ` reservation:units`; or
        STALE           nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, revision, chain = ARGV[1], ARGV[2], ARGV[3]
local reservations = { unpack(ARGV, 4) }

local sale = stand(key, generation, revision, chain)
if not sale then return 'STALE' end

local function leave(reservation)
  local standing = redis.call('HGET', key.live, reservation)
  if not standing then return end
  local code, buyer, what = string.match(standing, '^(%u) (%d+) ([%d,]+)')
  redis.call('HDEL', key.live, reservation)
  redis.call('HDEL', key.buyers, buyer)
  if code == 'S' then
    redis.call('ZREM', key.lines[tonumber(what)], reservation)
    sale.waiting = sale.waiting - 1
    return
  end
  local units = {}
  for unit in string.gmatch(what, '%d+') do
    units[#units + 1], units[#units + 2] = unit, unit
  end
  bulk('ZADD', key.returned, units)
  sale.returned = sale.returned + #units / 2
  sale.free = free(sale)
end

local answers = {}
for i, reservation in ipairs(reservations) do
  local cause = 'r:' .. reservation
  local answer = redis.call('HGET', key.answers, cause)
  if not answer then
    leave(reservation)
    local promotions = promote(key, sale)
    answer = advance(sale, cause) .. promotions
    keep(key, cause, answer)
  end
  answers[i] = answer
end
save(key, sale)
return answers
