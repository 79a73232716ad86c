-- Folds a sample into a group's baseline (Welford) and compares it with the samples before it.
-- KEYS[1] stats  hash: mean, variance (the population's), count, ids (of the last 16 samples)
-- ARGV[1] sample  a number within 1e15 of zero
-- ARGV[2] id  names the sample; one that is among the last 16 is not counted again
-- ARGV[3] ttlSeconds  life of the key, renewed only by a counted sample
-- returns reason (updated, repeated), mean, variance, count, z-score of the sample

-- with guidance_number
-- with guidance_once

local sample = number(ARGV[1], -1e15, 1e15)
local ttl = number(ARGV[3], 1, 1e13)
if not (sample and is_id(ARGV[2]) and ttl) then return redis.error_reply('INVALID argument') end

-- A baseline that cannot be read as numbers starts anew, so that no bad value stays for ever.
local stored = redis.call('HMGET', KEYS[1], 'mean', 'variance', 'count', 'ids')
local mean = number(stored[1], -1e15, 1e15)
local variance = number(stored[2], 0, 1e31)
local count = number(stored[3], 1, 1e6)
if not (mean and variance and count) then mean, variance, count = 0, 0, 0 end

local zScore = 0
local sigma = math.sqrt(variance)
if count >= 3 and sigma > 0.01 then zScore = (sample - mean) / sigma end

local ids = stored[4] or '|'
if knows(ids, ARGV[2]) then
  return { 'repeated', text(mean), text(variance), text(count), text(zScore) }
end
count = math.min(count + 1, 1e6)
local delta = sample - mean
mean = mean + delta / count
variance = math.max(0, variance + (delta * (sample - mean) - variance) / count)
redis.call('HSET', KEYS[1], 'mean', text(mean), 'variance', text(variance), 'count', text(count), 'ids', remember(ids, ARGV[2]))
redis.call('EXPIRE', KEYS[1], math.floor(ttl))
return { 'updated', text(mean), text(variance), text(count), text(zScore) }
