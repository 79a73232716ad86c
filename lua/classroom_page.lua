-- Reads a page of a lane, oldest first: the ones right after a place, or the ones right before one.
-- KEYS[1] messages  hash: messageId to '<seq> <ms> <JSON>'
-- KEYS[2] lane  sorted set: messageIds by seq
-- ARGV[1] before  only smaller seq; empty for the newest
-- ARGV[2] after  only larger seq, and the ones next to it; empty to read backwards
-- ARGV[3] limit  how many at most
-- ARGV[4] maxAgeMs  older ones are as good as gone
-- returns 1 when there are more in this direction, then { messageId, row, ... }

local limit, found, more = tonumber(ARGV[3]), {}, 0
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[4])
local upper = ARGV[1] == '' and '+inf' or '(' .. ARGV[1]
local lower = ARGV[2] == '' and '-inf' or '(' .. ARGV[2]
local ids = ARGV[2] == '' and redis.call('ZREVRANGEBYSCORE', KEYS[2], upper, lower) or redis.call('ZRANGEBYSCORE', KEYS[2], lower, upper)
for _, id in ipairs(ids) do
  local row = redis.call('HGET', KEYS[1], id)
  if row and tonumber(string.match(row, '^%d+ (%d+) ')) > oldest then
    if #found == limit then more = 1 break end
    found[#found + 1] = { id, row }
  end
end

local reply = {}
for i = 1, #found do
  local one = ARGV[2] == '' and found[#found + 1 - i] or found[i]
  reply[#reply + 1] = one[1]
  reply[#reply + 1] = one[2]
end
return { more, reply }
