-- Moves a session to another status, when its present one allows it: of racing calls one wins.
-- A call that is repeated, by a client that missed the answer, gets that answer again.
-- KEYS[1] session  the session's hash
-- KEYS[2] slices  its slices
-- KEYS[3] sliceIndex  their order
-- ARGV[1] from  the statuses that allow the move, separated by spaces
-- ARGV[2] to  the status it leads to
-- ARGV[3] minAgeMs  for longer than this it must have been ending, or 0
-- ARGV[4] reason  JSON of why, or empty to leave it as it is
-- ARGV[5] notes  JSON of the teacher's notes, or empty to leave them as they are
-- ARGV[6] op  hexadecimal name of this call
-- ARGV[7] ttlMs  life after the last accepted write
-- returns { 'ok', from, version, card or '' when no other key wants renewal, fields }, { 'not-found' }, { 'invalid', from, fields } or { 'groups-not-ready', fields }
local key, to, op = KEYS[1], ARGV[2], ARGV[6]
local head = redis.call('HMGET', key, 'status', 'moves', 'needsReady', 'order', 'endingAt', 'renewed', 'card')
local from, moves, card = head[1], head[2] or '', head[7]
if not from then return { 'not-found' } end
local earlier, version = string.match(moves, op .. ':(%a+):(%d+)')
if earlier then return { 'ok', earlier, version, card, redis.call('HGETALL', key) } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local minAge = tonumber(ARGV[3])
local early = minAge > 0 and from == 'ending' and now - head[5] <= minAge
if early or not string.find(' ' .. ARGV[1] .. ' ', ' ' .. from .. ' ', 1, true) then
  return { 'invalid', from, redis.call('HGETALL', key) }
end
if from == 'created' and to == 'active' and head[3] == '1' then
  for id in string.gmatch(head[4], '%S+') do
    if redis.call('HGET', key, 'r:' .. id) ~= '1' then return { 'groups-not-ready', redis.call('HGETALL', key) } end
  end
end

version = redis.call('HINCRBY', key, 'version', 1)
-- Eight moves back is further than a client's repetition reaches.
moves = op .. ':' .. from .. ':' .. version .. ' ' .. moves
moves = string.match(moves, '^' .. string.rep('%S+ ', 8)) or moves
redis.call('HSET', key, 'status', to, 'moves', moves)
if ARGV[4] ~= '' then redis.call('HSET', key, 'reason', ARGV[4]) end
if ARGV[5] ~= '' then redis.call('HSET', key, 'notes', ARGV[5]) end
if to == 'active' then
  redis.call('HSETNX', key, 'startedAt', stamp)
  redis.call('HDEL', key, 'pausedAt')
elseif to == 'paused' then
  redis.call('HSET', key, 'pausedAt', stamp)
elseif to == 'ending' then
  redis.call('HSET', key, 'endingAt', stamp)
elseif to == 'ended' then
  redis.call('HSET', key, 'endedAt', stamp)
end

local renew = math.abs(now - head[6]) >= 1000
if renew then redis.call('HSET', key, 'renewed', stamp) end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return { 'ok', from, version, renew and card or '', redis.call('HGETALL', key) }
