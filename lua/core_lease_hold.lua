-- Holds a member of a set for the length of a lease, or renews it, unless the set is full. A refusal stores nothing.
-- KEYS[1] lease  sorted set: members, each with the end of its lease in milliseconds since 1970
-- ARGV[1] member  who is held
-- ARGV[2] leaseMs  length of the lease from now
-- ARGV[3] max  how many there may be, or empty for any number
-- returns held (1 or 0), first (1 when nobody was there), how many are there now

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local length = tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now))
local before = redis.call('ZCARD', KEYS[1])
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known and ARGV[3] ~= '' and before >= tonumber(ARGV[3]) then return { 0, 0, before } end

redis.call('ZADD', KEYS[1], string.format('%d', now + length), ARGV[1])
-- Another process may hold longer leases in this set.
if redis.call('PTTL', KEYS[1]) < length then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return { 1, before == 0 and 1 or 0, known and before or before + 1 }
