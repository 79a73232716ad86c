-- Replaces the content of one message, if it is still as the caller read it.
-- KEYS[1] state  hash: seq
-- KEYS[2] messages  hash: messageId to '<seq> <ms> <JSON>'
-- KEYS[3] held  sorted set: those that wait, by seq
-- KEYS[4] lane  sorted set: where it goes when it is published
-- ARGV[1] messageId  which one
-- ARGV[2] before  its row as it was read
-- ARGV[3] content  JSON as it is to be
-- ARGV[4] place  publish or remove one that is held, or empty
-- ARGV[5] maxMessages  of a lane; the oldest falls out
-- ARGV[6] ttlMs  life of all of this
-- returns the row as it is now; empty when it was not as it was read

if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return '' end
local seq, at = string.match(ARGV[2], '^(%d+) (%d+) ')
if ARGV[4] == 'publish' then
  local time = redis.call('TIME')
  at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  seq = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'seq', 1))
end
local row = seq .. ' ' .. at .. ' ' .. ARGV[3]
if ARGV[4] ~= '' then redis.call('ZREM', KEYS[3], ARGV[1]) end
if ARGV[4] == 'remove' then redis.call('HDEL', KEYS[2], ARGV[1]) else redis.call('HSET', KEYS[2], ARGV[1], row) end
if ARGV[4] == 'publish' then
  redis.call('ZADD', KEYS[4], seq, ARGV[1])
  if redis.call('ZCARD', KEYS[4]) > tonumber(ARGV[5]) then redis.call('HDEL', KEYS[2], redis.call('ZPOPMIN', KEYS[4])[1]) end
end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
return row
