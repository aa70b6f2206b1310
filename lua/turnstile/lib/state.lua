--[[
  state: putting a whole state in. Prepended to every verb; `key` is the verb's table of bound keys.
  Mirrors open and restore of domain::turnstile, behind the guard of ports::turnstile.
]]
-- Where there is none, or one of an older generation, makes room and says so.
local function clear(key, generation)
  local there = redis.call('HGET', key.sale, 'generation')
  if there and tonumber(there) >= tonumber(generation) then return false end
  redis.call('UNLINK', key.sale, key.returned, key.live, key.buyers, key.answers, key.answered, unpack(key.lines))
  return true
end

local function found(key, generation, revision, chain, capacity, quantity_max, standby_max, next_unit, next_arrival, waiting)
  redis.call('HSET', key.sale, 'generation', generation, 'revision', revision, 'chain', chain, 'capacity', capacity,
    'quantity_max', quantity_max, 'standby_max', standby_max, 'next_unit', next_unit, 'next_arrival', next_arrival,
    'waiting', waiting)
end
