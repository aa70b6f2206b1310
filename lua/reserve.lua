--[[
  reserve: give units to each attempt of the batch, in order; who does not fit waits, or is refused.
  Mirrors domain::turnstile::reserve. Idempotent per batch: asked again, repeats its answer.

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
        4 batch         id, 32 hexadecimal digits of which the last 4 count the attempts
        5 quantities    one byte an attempt
        6- buyers       one an attempt, decimal
  REPLY `revision chain before codes`, and for each code but R, in order, ` detail`
        T TAKEN         units joined by commas
        S STANDBY       arrival:position
        A ALREADY       reservation
        R REFUSED
        STALE           nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, revision, chain, batch, quantities = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local buyers = { unpack(ARGV, 6) }

local sale = stand(key, generation, revision, chain)
if not sale then return 'STALE' end
local cause = 'b:' .. batch
local kept = redis.call('HGET', key.answers, cause)
if kept then return kept end

local owners = #buyers > 0 and redis.call('HMGET', key.buyers, unpack(buyers)) or {}
local quantity_max = math.min(sale.quantity_max, #key.lines)
local codes, details, live, born, owned, parties = {}, { '' }, {}, {}, {}, {}
for quantity = 1, quantity_max do parties[quantity] = {} end
for i, buyer in ipairs(buyers) do
  local quantity, owner = string.byte(quantities, i), owners[i] or owned[buyer]
  local code, detail, standing = 'R', nil, nil
  if quantity < 1 or quantity > quantity_max then
    code = 'R'
  elseif owner then
    code, detail = 'A', owner
  elseif quantity <= sale.free then
    code, detail = 'T', take(key, sale, quantity)
    standing = 'T ' .. buyer .. ' ' .. detail
  elseif sale.waiting < sale.standby_max then
    code, standing, detail = 'S', wait(sale, buyer, quantity)
  end
  codes[i] = code
  details[#details + 1] = detail
  if standing then
    local id = string.sub(batch, 1, 28) .. string.format('%04x', i - 1)
    live[#live + 1], live[#live + 2] = id, standing
    born[#born + 1], born[#born + 2] = buyer, id
    owned[buyer] = id
    if code == 'S' then
      local line = parties[quantity]
      line[#line + 1], line[#line + 2] = whole(sale.next_arrival - 1), id
    end
  end
end

bulk('HSET', key.live, live)
bulk('HSET', key.buyers, born)
for quantity, line in ipairs(parties) do
  bulk('ZADD', key.lines[quantity], line)
end
details[1] = advance(sale, cause) .. ' ' .. table.concat(codes)
local answer = table.concat(details, ' ')
keep(key, cause, answer)
save(key, sale)
return answer
