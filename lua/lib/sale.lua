--[[
  sale: how every verb begins and ends. Prepended to each; `key` is the verb's table of bound keys.
  Mirrors is_behind, advance and keep of domain::turnstile. A verb is all or nothing: Redis that has no memory left refuses a
  script at its first write, and never at a later one.
]]
-- Compared with domain::turnstile::ANSWERS_MAX.
local ANSWERS_MAX = 1024
-- Arguments of one command, at most: Lua unpacks no more than some 8,000.
local ARGUMENTS_MAX = 4000

-- A whole number in full: Lua itself writes those above 1e14 as powers of ten.
local function whole(number)
  return string.format('%.0f', number)
end

local function bulk(command, key, arguments)
  for from = 1, #arguments, ARGUMENTS_MAX do
    redis.call(command, key, unpack(arguments, from, math.min(from + ARGUMENTS_MAX - 1, #arguments)))
  end
end

local function free(sale)
  return math.max(0, sale.capacity + 1 - sale.next_unit) + sale.returned
end

-- nil when the sale is missing.
local function read(key)
  local figures = redis.call('HMGET', key.sale, 'generation', 'revision', 'chain', 'capacity', 'quantity_max',
    'standby_max', 'next_unit', 'next_arrival', 'waiting')
  if not figures[1] then return nil end
  local sale = {
    generation = figures[1], revision = tonumber(figures[2]), chain = figures[3], capacity = tonumber(figures[4]),
    quantity_max = tonumber(figures[5]), standby_max = tonumber(figures[6]), next_unit = tonumber(figures[7]),
    next_arrival = tonumber(figures[8]), waiting = tonumber(figures[9]),
  }
  sale.returned = redis.call('ZCARD', key.returned)
  sale.free = free(sale)
  return sale
end

-- Of the current revision and of those whose answers are kept, which are in their order; nil of any other.
local function chain_at(key, sale, revision)
  if revision == 0 then return '0000000000000000' end
  if revision == sale.revision then return sale.chain end
  local cause = revision < sale.revision and redis.call('LINDEX', key.answered, revision - sale.revision - 1)
  return cause and string.match(redis.call('HGET', key.answers, cause), '^%d+ (%x+)')
end

-- nil when the sale is missing, of another generation, or its history is not the caller's: the caller is told STALE.
local function stand(key, generation, revision, chain)
  local sale = read(key)
  if sale and sale.generation == generation and chain_at(key, sale, tonumber(revision)) == chain then return sale end
end

-- The next turn's stamp: revision, chain, and the chain before.
local function advance(sale, cause)
  local before = sale.chain
  sale.revision = sale.revision + 1
  sale.chain = string.sub(redis.sha1hex(before .. cause), 1, 16)
  return whole(sale.revision) .. ' ' .. sale.chain .. ' ' .. before
end

local function keep(key, cause, answer)
  redis.call('HSET', key.answers, cause, answer)
  if redis.call('RPUSH', key.answered, cause) > ANSWERS_MAX then
    redis.call('HDEL', key.answers, redis.call('LPOP', key.answered))
  end
end

local function save(key, sale)
  redis.call('HSET', key.sale, 'revision', whole(sale.revision), 'chain', sale.chain, 'capacity', whole(sale.capacity),
    'next_unit', whole(sale.next_unit), 'next_arrival', whole(sale.next_arrival), 'waiting', whole(sale.waiting))
end
