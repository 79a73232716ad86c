-- Claims a key for one mutation, or says what became of the one that has it.
-- KEYS[1] claim  hash: bodyHash, and with the answer status and body
-- ARGV[1] bodyHash  what is asked for
-- ARGV[2] claimMs  how long the claim holds without an answer
-- returns new, mismatch, pending, or done with status and body

local known = redis.call('HMGET', KEYS[1], 'bodyHash', 'status', 'body')
if not known[1] then
  redis.call('HSET', KEYS[1], 'bodyHash', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 'new' }
end
if known[1] ~= ARGV[1] then return { 'mismatch' } end
if not known[2] then return { 'pending' } end
return { 'done', known[2], known[3] }
