-- One page of a session's slices, of all groups or of one.
-- KEYS[1] slices  hash: id to 'seq now op groupId JSON'
-- KEYS[2] sliceIndex  sorted set of ' seq id' for the session and 'groupId seq id' for each group
-- ARGV[1] groupId  the group, or '' for all
-- ARGV[2] after  the seq before the first
-- ARGV[3] limit  the most to return
-- returns { 1 when there are more, slices as they are stored }
local limit = tonumber(ARGV[3])
local first = string.format('[%s %010d', ARGV[1], ARGV[2] + 1)
local places = redis.call('ZRANGEBYLEX', KEYS[2], first, '(' .. ARGV[1] .. '!', 'LIMIT', 0, limit + 1)
local page = {}
for i = 1, math.min(limit, #places) do
  local slice = redis.call('HGET', KEYS[1], string.match(places[i], ' %d+ (.+)'))
  if slice then page[#page + 1] = slice end
end
return { #places > limit and 1 or 0, page }
