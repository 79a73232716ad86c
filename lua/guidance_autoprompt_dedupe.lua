-- Was this prompt never shown to this group? A yes remembers it, unless it was only a look.
-- KEYS[1] hashes  set: fingerprints of the prompts shown
-- ARGV[1] fingerprint  40 hex digits
-- ARGV[2] peek  1 to look without remembering, else 0
-- ARGV[3] ttlSeconds  life of the key, renewed only when a prompt is remembered
-- returns reason (new, duplicate)

-- with guidance_number

local fingerprint = ARGV[1] and #ARGV[1] == 40 and string.match(ARGV[1], '^%x+$')
local peek = ARGV[2] == '1'
local ttl = number(ARGV[3], 1, 1e13)
if not (fingerprint and (peek or ARGV[2] == '0') and ttl) then
  return redis.error_reply('INVALID argument')
end

if redis.call('SISMEMBER', KEYS[1], fingerprint) == 1 then return { 'duplicate' } end
if not peek then
  redis.call('SADD', KEYS[1], fingerprint)
  redis.call('EXPIRE', KEYS[1], math.floor(ttl))
end
return { 'new' }
