-- Changes the state of a class: who may write, or that nobody may any more.
-- KEYS[1] state  hash: mode, closed
-- ARGV[1] mode  the new one, or empty
-- ARGV[2] closed  1 to close for good
-- ARGV[3] preset  mode of a class whose teacher has not said otherwise
-- ARGV[4] ttlMs  life of the state after this
-- returns 1 when the mode changed, else 0

local before = redis.call('HGET', KEYS[1], 'mode') or ARGV[3]
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'mode', ARGV[1]) end
if ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'closed', '1') end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return ARGV[1] ~= '' and ARGV[1] ~= before and 1 or 0
