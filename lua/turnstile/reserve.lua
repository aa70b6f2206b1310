--[[
  reserve: give units to each attempt of the batches, in order; who does not fit waits, or is refused.
  Mirrors domain::turnstile::reserve. Idempotent per batch: asked again, repeats its answer. Each is a turn of its own.

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
        4 quantities    one byte an attempt, of all batches; its high bit: it does not wait
        5 batches       `id count` of each, joined by spaces: 32 hexadecimal digits, the last 4 zero, and its attempts
        6- buyers       one an attempt, decimal
  REPLY for each, `revision chain before codes`, and for each code but R, in order, ` detail`
        T TAKEN         units joined by commas
        S STANDBY       arrival:position
        A ALREADY       reservation
        R REFUSED
        or
        STALE           nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, revision, chain, quantities, batches = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local buyers = { unpack(ARGV, 6) }

local sale = stand(key, generation, revision, chain)
if not sale then return 'STALE' end

local owners = #buyers > 0 and redis.call('HMGET', key.buyers, unpack(buyers)) or {}
local quantity_max = math.min(sale.quantity_max, #key.lines)
local new, owned = entries(key), {}

-- What becomes of attempt `i`, which has this id if it makes a reservation: the code, and the detail.
local function decide(i, id)
  local buyer, wish = buyers[i], string.byte(quantities, i)
  local quantity, waits, owner = wish % 128, wish < 128, owners[i] or owned[buyer]
  if quantity < 1 or quantity > quantity_max then return 'R' end
  if owner then return 'A', owner end
  if quantity <= sale.free then
    local units = take(key, sale, quantity)
    enter(new, id, buyer, 'T ' .. buyer .. ' ' .. units)
    owned[buyer] = id
    return 'T', units
  end
  if not waits or sale.waiting >= sale.standby_max then return 'R' end
  local standing, detail = wait(sale, buyer, quantity)
  enter(new, id, buyer, standing, quantity, whole(sale.next_arrival - 1))
  owned[buyer] = id
  return 'S', detail
end

local causes, counts = {}, {}
for batch, count in string.gmatch(batches, '(%x+) (%d+)') do
  causes[#causes + 1], counts[#counts + 1] = 'b:' .. batch, tonumber(count)
end
local answers, reply, first = recall(key, causes), {}, 1
for i, cause in ipairs(causes) do
  if not answers.given[cause] then
    local codes, details = {}, { '' }
    for index = 1, counts[i] do
      local id = string.sub(cause, 3, 30) .. string.format('%04x', index - 1)
      codes[index], details[#details + 1] = decide(first + index - 1, id)
    end
    details[1] = advance(sale, cause) .. ' ' .. table.concat(codes)
    keep(answers, cause, table.concat(details, ' '))
  end
  reply[i], first = answers.given[cause], first + counts[i]
end

write(key, new)
remember(key, answers)
save(key, sale)
return reply
