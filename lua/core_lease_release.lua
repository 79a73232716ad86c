-- Takes a member out of a set.
-- KEYS[1] lease  sorted set: members, each with the end of its lease in milliseconds since 1970
-- ARGV[1] member  who goes
-- returns how many are there now

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now))
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])
