--[[
  snapshot: the whole state, but for the answers it keeps. Changes nothing.
  Mirrors domain::turnstile::snapshot; the caller puts it into canonical form.

  KEYS  1 sale          hash  figures
        2 returned      zset  units handed back
        3 live          hash  reservation -> what it has, or waits for
  REPLY { `generation revision chain capacity quantity_max standby_max next_unit next_arrival`,
          returned units, ascending,
          reservation, standing, reservation, standing … }, or nil when the sale is missing
]]
local key = { sale = KEYS[1], returned = KEYS[2], live = KEYS[3] }

local sale = read(key)
if not sale then return nil end
local figures = table.concat({
  sale.generation, whole(sale.revision), sale.chain, whole(sale.capacity), whole(sale.quantity_max),
  whole(sale.standby_max), whole(sale.next_unit), whole(sale.next_arrival),
}, ' ')
return { figures, redis.call('ZRANGE', key.returned, 0, -1), redis.call('HGETALL', key.live) }
