-- Counts the members of a set whose lease has not ended.
-- KEYS[1] lease  sorted set: members, each with the end of its lease in milliseconds since 1970
-- returns how many are there

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
return redis.call('ZCOUNT', KEYS[1], string.format('(%d', now), '+inf')
