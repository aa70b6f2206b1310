--[[
  sale: how every verb begins and ends. Prepended to each; `key` is the verb's table of bound keys.
  Mirrors is_behind and advance of domain::turnstile. A verb is all or nothing: Redis that has no memory left refuses a
  script at its first write, and never at a later one.
]]
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

local function save(key, sale)
  redis.call('HSET', key.sale, 'revision', whole(sale.revision), 'chain', sale.chain, 'capacity', whole(sale.capacity),
    'next_unit', whole(sale.next_unit), 'next_arrival', whole(sale.next_arrival), 'waiting', whole(sale.waiting))
end
