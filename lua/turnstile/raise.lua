--[[
  raise: more units, never fewer, and give on what is free.
  Mirrors domain::turnstile::raise. Idempotent per capacity: asked again, repeats its answer.

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
        4 capacity      decimal
  REPLY `revision chain before`, and for each promotion ` reservation:units`
        STALE           nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, revision, chain, capacity = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local sale = stand(key, generation, revision, chain)
if not sale then return 'STALE' end
local cause = 'c:' .. capacity
local answers = recall(key, { cause })
if answers.given[cause] then return answers.given[cause] end

sale.capacity = math.max(sale.capacity, tonumber(capacity))
sale.free = free(sale)
local promotions = promote(key, sale)
local answer = advance(sale, cause) .. promotions
keep(answers, cause, answer)
remember(key, answers)
save(key, sale)
return answer
