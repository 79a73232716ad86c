-- Observations by id; the last 16 are remembered, so that one that comes again is not counted again.
local function is_id (id) return id and #id <= 64 and string.match(id, '^[%w_.@-]+$') ~= nil end

local function knows (ids, id) return string.find(ids, '|' .. id .. '|', 1, true) ~= nil end

local function remember (ids, id)
  ids = ids .. id .. '|'
  if select(2, string.gsub(ids, '|', '')) > 17 then ids = string.match(ids, '^|[^|]*(|.*)$') end
  return ids
end

-- What is left of a weight after a while (milliseconds).
local function decayed (weight, elapsed, halfLife)
  return weight * 0.5 ^ (math.max(0, elapsed) / halfLife)
end
