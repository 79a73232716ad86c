-- Counts acknowledged prompts of a group, or reads the count; each fades by half every half-life.
-- KEYS[1] acks  hash: count as of timestamp, ids (of the last 16 acknowledgements)
-- ARGV[1] id  names the acknowledgement, counted unless among the last 16; empty to read
-- ARGV[2] halfLifeMs  milliseconds in which a count fades by half
-- ARGV[3] ttlSeconds  life of the key, renewed only by a counted acknowledgement
-- ARGV[4] at  event time in milliseconds since 1970, or empty for now
-- returns reason (none, acknowledged, counted, repeated), count as of the event time

local function number (text, low, high)
  local value = text and string.match(text, '^[-+.%deE]+$') and tonumber(text)
  return value and value >= low and value <= high and value or nil
end

local function text (value) return string.format('%.17g', value) end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = now
if ARGV[4] ~= '' then at = number(ARGV[4], 0, 8.64e15) end
local id = ARGV[1] and #ARGV[1] <= 64 and string.match(ARGV[1], '^[%w_.@-]*$')
local halfLife = number(ARGV[2], 1, 1e15)
local ttl = number(ARGV[3], 1, 1e13)
if not (id and halfLife and ttl and at) then return redis.error_reply('INVALID argument') end
at = math.min(at, now + 5000)

local function decayed (weight, elapsed)
  return weight * 0.5 ^ (math.max(0, elapsed) / halfLife)
end

local stored = redis.call('HMGET', KEYS[1], 'count', 'timestamp', 'ids')
local count = number(stored[1], 0, 1e15)
local last = number(stored[2], 0, 8.64e15)
local known = count and last
-- A stored time far ahead was written before the clock was set back; it must not stop the decay for long.
if known then last = math.min(last, now + 5000) else count, last = 0, at end

local ids = stored[3] or '|'
if id == '' then
  return { known and 'acknowledged' or 'none', text(decayed(count, at - last)) }
elseif string.find(ids, '|' .. id .. '|', 1, true) then
  return { 'repeated', text(decayed(count, at - last)) }
end
ids = ids .. id .. '|'
if select(2, string.gsub(ids, '|', '')) > 17 then ids = string.match(ids, '^|[^|]*(|.*)$') end

-- A late one counts as if it had come in time and has decayed since: stored time never goes back.
local latest = math.max(last, at)
count = decayed(count, latest - last) + decayed(1, latest - at)
redis.call('HSET', KEYS[1], 'count', text(count), 'timestamp', text(latest), 'ids', ids)
redis.call('EXPIRE', KEYS[1], math.floor(ttl))
return { 'counted', text(count) }
