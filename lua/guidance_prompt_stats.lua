-- Counts how a prompt template fared, or reads what is known; each observation fades by half every half-life.
-- KEYS[1] stats  hash: success_sum and weight_sum as of last_update, observation_count, ids (of the last 16)
-- ARGV[1] outcome  0 to 1, or empty to read
-- ARGV[2] id  names the observation; one that is among the last 16 is not counted again
-- ARGV[3] halfLifeMs  milliseconds in which an observation fades by half
-- ARGV[4] ttlSeconds  life of the key, renewed only by a counted observation
-- ARGV[5] at  event time in milliseconds since 1970, or empty for now
-- returns reason (updated, repeated, read), success sum, weight sum, count, success rate, last update

-- with guidance_number
-- with guidance_time
-- with guidance_once

local at, now = times(ARGV[5])
local reading = ARGV[1] == ''
local outcome = number(ARGV[1], 0, 1)
local halfLife = number(ARGV[3], 1, 1e15)
local ttl = number(ARGV[4], 1, 1e13)
if not ((reading or outcome) and is_id(ARGV[2]) and halfLife and ttl and at) then return redis.error_reply('INVALID argument') end

local function answer (reason, success, weight, count, last, elapsed)
  local rate = weight > 0 and math.min(1, success / weight) or nil
  return { reason, text(decayed(success, elapsed, halfLife)), text(decayed(weight, elapsed, halfLife)), text(count), text(rate), text(last) }
end

local stored = redis.call('HMGET', KEYS[1], 'success_sum', 'weight_sum', 'observation_count', 'last_update', 'ids')
local success = number(stored[1], 0, 1e15)
local weight = number(stored[2], 0, 1e15)
local count = number(stored[3], 0, 1e15)
local last = stored_time(stored[4], now)
local known = success and weight and count and last
if reading and not known then return answer('read', 0, 0, 0, nil, 0) end
if not known then success, weight, count, last = 0, 0, 0, at end

local ids = stored[5] or '|'
if reading then return answer('read', success, weight, count, last, at - last) end
if knows(ids, ARGV[2]) then return answer('repeated', success, weight, count, last, at - last) end

-- A late one counts as if it had come in time and has decayed since: stored time never goes back.
local latest = math.max(last, at)
success = decayed(success, latest - last, halfLife) + decayed(outcome, latest - at, halfLife)
weight = decayed(weight, latest - last, halfLife) + decayed(1, latest - at, halfLife)
count = count + 1
redis.call('HSET', KEYS[1], 'success_sum', text(success), 'weight_sum', text(weight),
  'observation_count', text(count), 'last_update', text(latest), 'ids', remember(ids, ARGV[2]))
redis.call('EXPIRE', KEYS[1], math.floor(ttl))
return answer('updated', success, weight, count, latest, 0)
