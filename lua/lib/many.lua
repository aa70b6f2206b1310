--[[
  many: numbers in full, and many arguments at once. Prepended to every script.
]]
-- Arguments of one command, at most: Lua unpacks no more than some 8,000.
local ARGUMENTS_MAX = 4000

-- A whole number in full: Lua itself writes those above 1e14 as powers of ten.
local function whole(number)
  return string.format('%.0f', number)
end

local function push(list, one, other)
  list[#list + 1], list[#list + 2] = one, other
end

local function bulk(command, key, arguments)
  for from = 1, #arguments, ARGUMENTS_MAX do
    redis.call(command, key, unpack(arguments, from, math.min(from + ARGUMENTS_MAX - 1, #arguments)))
  end
end
