--[[
  look: the few figures others want often. Changes nothing.
  Mirrors domain::turnstile::level.

  KEYS  1 sale          hash  figures
        2 returned      zset  units handed back
  REPLY `generation revision chain capacity quantity_max standby_max free waiting`, or nil when the sale is missing
]]
local key = { sale = KEYS[1], returned = KEYS[2] }

local sale = read(key)
if not sale then return nil end
return table.concat({
  sale.generation, whole(sale.revision), sale.chain, whole(sale.capacity), whole(sale.quantity_max),
  whole(sale.standby_max), whole(sale.free), whole(sale.waiting),
}, ' ')
