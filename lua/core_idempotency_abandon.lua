-- Gives a claim up that has no answer.
-- KEYS[1] claim  hash: bodyHash, and with the answer status and body
-- ARGV[1] bodyHash  what was asked for
-- returns 1 when the key is free again, else 0

local known = redis.call('HMGET', KEYS[1], 'bodyHash', 'status')
if known[1] ~= ARGV[1] or known[2] then return 0 end
return redis.call('DEL', KEYS[1])
