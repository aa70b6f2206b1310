--[[
  open: make the turnstile of a new sale. Where there is one of this or a newer generation, nothing happens.
  Mirrors domain::turnstile::open.

  KEYS  1 sale          hash  figures
        2 returned      zset  units handed back
        3 live          hash  reservation -> what it has, or waits for
        4 buyers        hash  buyer -> live reservation
        5 answers       hash  cause -> answer
        6 answered      list  causes, oldest first
        7-14 lines      zset  for each party size, who waits, by arrival
  ARGV  1 generation    of the new sale
        2 capacity      units
        3 quantity_max  units for one attempt
        4 standby_max   parties that may wait
  REPLY DONE            it is open now
        KEPT            one was there; nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, capacity, quantity_max, standby_max = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if not clear(key, generation) then return 'KEPT' end
found(key, generation, '0', string.rep('0', 16), capacity, quantity_max, standby_max, '1', '1', '0')
return 'DONE'
