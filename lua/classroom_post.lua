-- Stores a message as the mode of the class says at this moment: published, held for approval, or not at all. Twin of
-- verdictOf in rules.ts.
-- KEYS[1] state  hash: mode, closed, bytes, seq
-- KEYS[2] messages  hash: messageId to '<seq> <ms> <JSON>'
-- KEYS[3] held  sorted set: those that wait, by seq
-- KEYS[4] lane  sorted set: where it goes when it is published
-- KEYS[5] from  sorted set: the lane of its sender, or lane again
-- KEYS[6] to  sorted set: the lane of its receiver, or lane again
-- ARGV[1] messageId  its id; a known one is not stored again
-- ARGV[2] content  JSON
-- ARGV[3] heldContent  JSON, for when it is held
-- ARGV[4] kind  class or direct
-- ARGV[5] rank  of the sender: student or teacher
-- ARGV[6] mode  of a class whose teacher has not said otherwise
-- ARGV[7] bytes  of its attachment
-- ARGV[8] maxBytes  of all attachments
-- ARGV[9] maxMessages  of a lane
-- ARGV[10] maxAgeMs  of a message
-- ARGV[11] maxHeld  messages that may wait
-- ARGV[12] ttlMs  life of all of this
-- returns verdict, mode, row

local known = redis.call('HGET', KEYS[2], ARGV[1])
local mode, closed, used = unpack(redis.call('HMGET', KEYS[1], 'mode', 'closed', 'bytes'))
mode = mode or ARGV[6]
if known then return { 'repeated', mode, known } end
if closed then return { 'closed', mode, '' } end

local verdict = 'published'
if ARGV[4] == 'class' and ARGV[5] == 'student' and mode == 'moderated' then verdict = 'held' end
if mode == 'off' or (ARGV[4] == 'class' and ARGV[5] == 'student' and mode == 'teacher-only') then return { 'refused', mode, '' } end
local bytes = tonumber(ARGV[7])
if bytes > 0 and (used or 0) + bytes > tonumber(ARGV[8]) then return { 'full', mode, '' } end
if verdict == 'held' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[11]) then return { 'full', mode, '' } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
if bytes > 0 then redis.call('HINCRBY', KEYS[1], 'bytes', bytes) end
local row = string.format('%.0f %.0f ', seq, now) .. (verdict == 'held' and ARGV[3] or ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], row)
if verdict == 'held' then redis.call('ZADD', KEYS[3], seq, ARGV[1]) else
  for i = 4, 6 do redis.call('ZADD', KEYS[i], seq, ARGV[1]) end
  while true do
    local oldest = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
    local old = redis.call('HGET', KEYS[2], oldest)
    local at = old and tonumber(string.match(old, '^%d+ (%d+) ')) or 0
    if redis.call('ZCARD', KEYS[4]) <= tonumber(ARGV[9]) and at > now - tonumber(ARGV[10]) then break end
    redis.call('ZREM', KEYS[4], oldest)
    redis.call('HDEL', KEYS[2], oldest)
    if redis.call('ZCARD', KEYS[4]) == 0 then break end
  end
  for i = 5, 6 do redis.call('ZREMRANGEBYRANK', KEYS[i], 0, -tonumber(ARGV[9]) - 1) end
end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[12]) end
return { verdict, mode, row }
