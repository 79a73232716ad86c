-- Stores parts of a session's guidance, if nobody else did since they were read.
-- KEYS[1] state  hash: version, session (JSON), group:<groupId> (JSON)
-- ARGV[1] version  the version that was read; 0 when there was none
-- ARGV[2] ttlSeconds  life of the key, renewed when the parts are stored
-- ARGV[3] parts  JSON array of field, value, field, value, ...
-- returns 1 when stored, 0 when somebody else was first

local stored = redis.call('HGET', KEYS[1], 'version') or '0'
if stored ~= ARGV[1] then return 0 end

local parts = cjson.decode(ARGV[3])
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', tonumber(stored) + 1), unpack(parts))
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[2]))
return 1
