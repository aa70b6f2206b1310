--[[
  restore: replace the whole state if it is missing or of an older generation. Kept answers start empty.
  Mirrors domain::turnstile::restore.

  KEYS  1 sale          hash  figures
        2 returned      zset  units handed back
        3 live          hash  reservation -> what it has, or waits for
        4 buyers        hash  buyer -> live reservation
        5 answers       hash  cause -> answer
        6 answered      list  causes, oldest first
        7-14 lines      zset  for each party size, who waits, by arrival
  ARGV  1 generation    of the new state
        2 figures       `revision chain capacity quantity_max standby_max next_unit next_arrival waiting`
        3 returned      units handed back, joined by commas
        4- standings    packs of some thousands, each `reservation standing` and a line's end
  REPLY DONE            this is the state now
        KEPT            one of this or a newer generation is there; nothing was changed
]]
local key = {
  sale = KEYS[1], returned = KEYS[2], live = KEYS[3], buyers = KEYS[4], answers = KEYS[5], answered = KEYS[6],
  lines = { unpack(KEYS, 7, 14) },
}
local generation, figures, returned = ARGV[1], ARGV[2], ARGV[3]
local standings = { unpack(ARGV, 4) }

if not clear(key, generation) then return 'KEPT' end
local words = {}
for word in string.gmatch(figures, '%S+') do
  words[#words + 1] = word
end
found(key, generation, unpack(words))

local units = {}
for unit in string.gmatch(returned, '%d+') do
  push(units, unit, unit)
end
bulk('ZADD', key.returned, units)

for _, pack in ipairs(standings) do
  local new = entries(key)
  for reservation, standing in string.gmatch(pack, '(%x+) ([^\n]+)\n') do
    local buyer, quantity, arrival = string.match(standing, '^%u (%d+) ([%d,]+) ?(%d*)$')
    enter(new, reservation, buyer, standing, tonumber(quantity), arrival ~= '' and arrival)
  end
  write(key, new)
end
return 'DONE'
