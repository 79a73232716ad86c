-- Lets an attention score through when it is the first, has moved far enough, or enough time has passed.
-- KEYS[1] last  hash: score and timestamp of the last one let through
-- ARGV[1] score  0 to 100
-- ARGV[2] minScoreDelta  points that count as a move
-- ARGV[3] minTimeDeltaMs  milliseconds after which any score passes
-- ARGV[4] ttlSeconds  life of the key, renewed only when a score passes
-- ARGV[5] at  event time in milliseconds since 1970, or empty for now
-- returns reason (first, score, time, unchanged, late), previous score, previous time, remaining milliseconds

-- with guidance_number
-- with guidance_time

local at, now = times(ARGV[5])
local score = number(ARGV[1], 0, 100)
local minScoreDelta = number(ARGV[2], 0, 1e15)
local minTimeDelta = number(ARGV[3], 0, 1e15)
local ttl = number(ARGV[4], 1, 1e13)
if not (score and minScoreDelta and minTimeDelta and ttl and at) then
  return redis.error_reply('INVALID argument')
end

local stored = redis.call('HMGET', KEYS[1], 'score', 'timestamp')
local previous = number(stored[1], 0, 100)
local last = stored_time(stored[2], now)
local reason, remaining = 'first', 0
if previous and last then
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
