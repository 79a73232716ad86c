-- Renews members of a set, and brings back those that Redis has lost.
-- KEYS[1] lease  sorted set: members, each with the end of its lease in milliseconds since 1970
-- ARGV[1] members  who is held, as a JSON array of strings
-- ARGV[2] leaseMs  length of the lease from now
-- returns nothing

local clock = redis.call('TIME')
local length = tonumber(ARGV[2])
local ends = string.format('%d', clock[1] * 1000 + math.floor(clock[2] / 1000) + length)

for _, member in ipairs(cjson.decode(ARGV[1])) do redis.call('ZADD', KEYS[1], ends, member) end
-- Another process may hold longer leases in this set.
if redis.call('PTTL', KEYS[1]) < length then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
