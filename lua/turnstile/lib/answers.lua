--[[
  answers: kept for batches that are sent again, and the history they tell. Prepended to every verb; `key` is the verb's table of bound
  keys. Mirrors chain_at, keep and forget of domain::turnstile.
]]
-- Compared with domain::turnstile::ANSWERS_MAX.
local ANSWERS_MAX = 1024

-- Of the current revision and of those whose answers are kept, which are in their order; nil of any other.
local function chain_at(key, sale, revision)
  if revision == 0 then return '0000000000000000' end
  if revision == sale.revision then return sale.chain end
  local cause = revision < sale.revision and redis.call('LINDEX', key.answered, revision - sale.revision - 1)
  return cause and string.match(redis.call('HGET', key.answers, cause), '^%d+ (%x+)')
end

-- What one call knows: the answers that these causes were given before, by cause, and those that it gives itself.
local function recall(key, causes)
  local answers = { given = {}, new = {}, causes = {} }
  local found = #causes > 0 and redis.call('HMGET', key.answers, unpack(causes)) or {}
  for i, cause in ipairs(causes) do
    answers.given[cause] = found[i]
  end
  return answers
end

local function keep(answers, cause, answer)
  answers.given[cause] = answer
  push(answers.new, cause, answer)
  answers.causes[#answers.causes + 1] = cause
end

-- Writes what the call keeps, and forgets the oldest in exchange.
local function remember(key, answers)
  bulk('HSET', key.answers, answers.new)
  bulk('RPUSH', key.answered, answers.causes)
  local over = redis.call('LLEN', key.answered) - ANSWERS_MAX
  if over > 0 then bulk('HDEL', key.answers, redis.call('LPOP', key.answered, over)) end
end
