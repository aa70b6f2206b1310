--[[
  units: handing them out. Prepended to every verb; `key` is the verb's table of bound keys.
  Mirrors take, wait and promote of domain::turnstile.

  A value of `live` is `T buyer units` (units joined by commas, ascending) or `S buyer quantity arrival`.
]]
-- Units handed back go first, lowest first; the caller has seen that there are enough.
local function take(key, sale, quantity)
  local units = {}
  if sale.returned > 0 then
    local popped = redis.call('ZPOPMIN', key.returned, quantity)
    for i = 1, #popped, 2 do
      units[#units + 1] = popped[i]
    end
    sale.returned = sale.returned - #units
  end
  while #units < quantity do
    units[#units + 1] = whole(sale.next_unit)
    sale.next_unit = sale.next_unit + 1
  end
  sale.free = sale.free - quantity
  return table.concat(units, ',')
end

-- The standing of a party that waits from now on, and `arrival:position`.
local function wait(sale, buyer, quantity)
  local arrival = whole(sale.next_arrival)
  sale.next_arrival = sale.next_arrival + 1
  sale.waiting = sale.waiting + 1
  return 'S ' .. buyer .. ' ' .. quantity .. ' ' .. arrival, arrival .. ':' .. whole(sale.waiting)
end

-- Reservations that a call enters, to be written all at once.
local function entries(key)
  local new = { live = {}, buyers = {}, lines = {} }
  for quantity = 1, #key.lines do new.lines[quantity] = {} end
  return new
end

-- A party that waits comes with its size and arrival.
local function enter(new, reservation, buyer, standing, quantity, arrival)
  push(new.live, reservation, standing)
  push(new.buyers, buyer, reservation)
  if arrival then push(new.lines[quantity], arrival, reservation) end
end

local function write(key, new)
  bulk('HSET', key.live, new.live)
  bulk('HSET', key.buyers, new.buyers)
  for quantity, line in ipairs(new.lines) do bulk('ZADD', key.lines[quantity], line) end
end

-- The party that came first of those that fit, and its quantity.
local function next_that_fits(key, sale)
  local first, size, arrival
  for quantity = 1, math.min(sale.free, #key.lines) do
    local head = redis.call('ZRANGE', key.lines[quantity], 0, 0, 'WITHSCORES')
    if head[1] and (not arrival or tonumber(head[2]) < arrival) then
      first, size, arrival = head[1], quantity, tonumber(head[2])
    end
  end
  return first, size
end

-- Gives what is free to the first parties that fit; ` reservation:units` for each.
local function promote(key, sale)
  local promotions = {}
  while sale.waiting > 0 and sale.free > 0 do
    local reservation, quantity = next_that_fits(key, sale)
    if not reservation then break end
    local buyer = string.match(redis.call('HGET', key.live, reservation), '^S (%d+)')
    local units = take(key, sale, quantity)
    redis.call('ZREM', key.lines[quantity], reservation)
    redis.call('HSET', key.live, reservation, 'T ' .. buyer .. ' ' .. units)
    sale.waiting = sale.waiting - 1
    promotions[#promotions + 1] = ' ' .. reservation .. ':' .. units
  end
  return table.concat(promotions)
end
