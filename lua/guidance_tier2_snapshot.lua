-- Replaces a group's tier2 snapshot and returns the one before, or reads it.
-- KEYS[1] last  hash: snapshot (JSON) and its timestamp
-- ARGV[1] snapshot  JSON object of numbers and strings, or empty to read
-- ARGV[2] ttlSeconds  life of the key, renewed only when a snapshot is stored
-- ARGV[3] at  event time in milliseconds since 1970, or empty for now
-- returns reason (stored, read, late), previous snapshot, previous time

-- with guidance_number
-- with guidance_time

-- JSON as Redis reads it may hold NaN and infinity, so each number is looked at.
local function sound (json)
  if not json or #json > 8192 or string.sub(json, 1, 1) ~= '{' then return nil end
  local ok, fields = pcall(cjson.decode, json)
  if not ok then return nil end
  for _, value in pairs(fields) do
    local finite = type(value) == 'number' and value >= -1e15 and value <= 1e15
    if not finite and type(value) ~= 'string' then return nil end
  end
  return json
end

local at, now = times(ARGV[3])
local reading = ARGV[1] == ''
local snapshot = sound(ARGV[1])
local ttl = number(ARGV[2], 1, 1e13)
if not ((reading or snapshot) and ttl and at) then return redis.error_reply('INVALID argument') end

local stored = redis.call('HMGET', KEYS[1], 'snapshot', 'timestamp')
local previous = sound(stored[1])
local last = stored_time(stored[2], now)
if not (previous and last) then previous, last = nil, nil end

local reason = 'read'
if not reading then reason = last and at < last and 'late' or 'stored' end
if reason == 'stored' then
  redis.call('HSET', KEYS[1], 'snapshot', snapshot, 'timestamp', text(at))
  redis.call('EXPIRE', KEYS[1], math.floor(ttl))
end
return { reason, previous or '', text(last) }
