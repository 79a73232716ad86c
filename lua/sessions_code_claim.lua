-- Gives a join code to a session: when it is free, is the session's already, or is held by a session that is gone.
-- KEYS[1] code  holds the id of the session that the code opens
-- ARGV[1] sessionId  who claims it
-- ARGV[2] gone  a holder that was found to be gone, or ''
-- ARGV[3] ttlMs  life of the code
-- returns the id of the session that has it now
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[2] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
