-- Frees the join code of a session that has ended, unless another session has it by now.
-- KEYS[1] code  holds the id of the session that the code opens
-- ARGV[1] sessionId  whose code it was
-- returns 1 when it was freed, else 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
