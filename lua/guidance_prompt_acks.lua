-- Counts acknowledged prompts of a group, or reads the count; each fades by half every half-life.
-- KEYS[1] acks  hash: count as of timestamp, ids (of the last 16 acknowledgements)
-- ARGV[1] id  names the acknowledgement, counted unless among the last 16; empty to read
-- ARGV[2] halfLifeMs  milliseconds in which a count fades by half
-- ARGV[3] ttlSeconds  life of the key, renewed only by a counted acknowledgement
-- ARGV[4] at  event time in milliseconds since 1970, or empty for now
-- returns reason (none, acknowledged, counted, repeated), count as of the event time

-- with guidance_number
-- with guidance_time
-- with guidance_once

local at, now = times(ARGV[4])
local reading = ARGV[1] == ''
local halfLife = number(ARGV[2], 1, 1e15)
local ttl = number(ARGV[3], 1, 1e13)
if not ((reading or is_id(ARGV[1])) and halfLife and ttl and at) then return redis.error_reply('INVALID argument') end

local stored = redis.call('HMGET', KEYS[1], 'count', 'timestamp', 'ids')
local count = number(stored[1], 0, 1e15)
local last = stored_time(stored[2], now)
local known = count and last
if not known then count, last = 0, at end

local ids = stored[3] or '|'
local reason = reading and (known and 'acknowledged' or 'none') or knows(ids, ARGV[1]) and 'repeated'
if reason then return { reason, text(decayed(count, at - last, halfLife)) } end

-- A late one counts as if it had come in time and has decayed since: stored time never goes back.
local latest = math.max(last, at)
count = decayed(count, latest - last, halfLife) + decayed(1, latest - at, halfLife)
redis.call('HSET', KEYS[1], 'count', text(count), 'timestamp', text(latest), 'ids', remember(ids, ARGV[1]))
redis.call('EXPIRE', KEYS[1], math.floor(ttl))
return { 'counted', text(count) }
