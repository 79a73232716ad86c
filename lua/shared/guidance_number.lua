-- Numbers that are numbers, neither NaN nor infinity, and as texts without loss.
local function number (text, low, high)
  local value = text and string.match(text, '^[-+.%deE]+$') and tonumber(text)
  return value and value >= low and value <= high and value or nil
end

local function text (value) return value and string.format('%.17g', value) or '' end
