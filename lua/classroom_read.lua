-- Moves the place up to which a user has read. It never goes back, and not past the last message.
-- KEYS[1] state  hash: seq
-- KEYS[2] reads  hash: userId to '<seq> <1 when nobody is to know>'
-- ARGV[1] userId  who reads
-- ARGV[2] seq  up to here
-- ARGV[3] hidden  1 when nobody is to know
-- ARGV[4] ttlMs  life of the places after this
-- returns the place, 1 when it moved

local before = redis.call('HGET', KEYS[2], ARGV[1])
local old = before and tonumber(string.match(before, '^%d+'))
local last = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local place = math.min(math.max(tonumber(ARGV[2]), old or 0), last)
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f ', place) .. ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return { place, old == place and 0 or 1 }
