-- Keeps the answer of a mutation. The first answer stays, and so does the claim of another body.
-- KEYS[1] claim  hash: bodyHash, and with the answer status and body
-- ARGV[1] bodyHash  what was asked for
-- ARGV[2] status  of the answer
-- ARGV[3] body  of the answer
-- ARGV[4] answerMs  how long it is kept
-- returns 1 when it is kept, else 0

local known = redis.call('HMGET', KEYS[1], 'bodyHash', 'status')
if known[2] or (known[1] and known[1] ~= ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'bodyHash', ARGV[1], 'status', ARGV[2], 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
