-- Lets an attention score through when it is the first, has moved far enough, or enough time has passed.
-- KEYS[1] last  hash: score and timestamp of the last one let through
-- ARGV[1] score  0 to 100
-- ARGV[2] minScoreDelta  points that count as a move
-- ARGV[3] minTimeDeltaMs  milliseconds after which any score passes
-- ARGV[4] ttlSeconds  life of the key, renewed only when a score passes
-- ARGV[5] at  event time in milliseconds since 1970, or empty for now
-- returns reason (first, score, time, unchanged, late), previous score, previous time, remaining milliseconds

local function number (text, low, high)
  local value = text and string.match(text, '^[-+.%deE]+$') and tonumber(text)
  return value and value >= low and value <= high and value or nil
end

local function text (value) return value and string.format('%.17g', value) or '' end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = now
if ARGV[5] ~= '' then at = number(ARGV[5], 0, 8.64e15) end
local score = number(ARGV[1], 0, 100)
local minScoreDelta = number(ARGV[2], 0, 1e15)
local minTimeDelta = number(ARGV[3], 0, 1e15)
local ttl = number(ARGV[4], 1, 1e13)
if not (score and minScoreDelta and minTimeDelta and ttl and at) then
  return redis.error_reply('INVALID argument')
end
at = math.min(at, now + 5000)

local stored = redis.call('HMGET', KEYS[1], 'score', 'timestamp')
local previous = number(stored[1], 0, 100)
local last = number(stored[2], 0, 8.64e15)
local reason, remaining = 'first', 0
if previous and last then
  -- A stored time far ahead was written before the clock was set back; it must not block for long.
  last = math.min(last, now + 5000)
  remaining = last + minTimeDelta - at
  if at < last then
    reason = 'late'
  elseif math.abs(score - previous) >= minScoreDelta then
    reason, remaining = 'score', 0
  elseif remaining <= 0 then
    reason, remaining = 'time', 0
  else
    reason = 'unchanged'
  end
else
  previous, last = nil, nil
end

if reason ~= 'late' and reason ~= 'unchanged' then
  redis.call('HSET', KEYS[1], 'score', text(score), 'timestamp', text(at))
  redis.call('EXPIRE', KEYS[1], math.floor(ttl))
end
return { reason, text(previous), text(last), text(remaining) }
