-- Changes what is said of one group. A call that is repeated, by a client that missed the answer, gets it again.
-- KEYS[1] session  the session's hash
-- KEYS[2] slices  its slices
-- KEYS[3] sliceIndex  their order
-- ARGV[1] groupId  the group
-- ARGV[2] status  its new status, or '' to leave it
-- ARGV[3] isReady  1 or 0, or '' to leave it
-- ARGV[4] issueReason  JSON of a text, null for none, or '' to leave it
-- ARGV[5] op  hexadecimal name of this call
-- ARGV[6] ttlMs  life after the last accepted write
-- returns { 'ok', 1 when something changed, card or '' when no other key wants renewal, fields }, { 'not-found' }, { 'ended' } or { 'group-not-found' }
local key, id = KEYS[1], ARGV[1]
local head = redis.call('HMGET', key, 'status', 'renewed', 'card', 'g:' .. id, 's:' .. id, 'r:' .. id, 'i:' .. id, 'o:' .. id)
if not head[1] then return { 'not-found' } end
if head[1] == 'ended' then return { 'ended' } end
if not head[4] then return { 'group-not-found' } end
if head[8] == ARGV[5] then return { 'ok', 1, head[3], redis.call('HGETALL', key) } end

local changed = 0
local function say (field, was, value)
  if value == '' or value == was then return end
  redis.call('HSET', key, field .. id, value)
  changed = 1
end
say('s:', head[5], ARGV[2])
say('r:', head[6], ARGV[3])
say('i:', head[7] or 'null', ARGV[4])
if changed == 0 then return { 'ok', 0, '', redis.call('HGETALL', key) } end

redis.call('HSET', key, 'o:' .. id, ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local renew = math.abs(now - head[2]) >= 1000
if renew then redis.call('HSET', key, 'renewed', string.format('%.0f', now)) end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
return { 'ok', 1, renew and head[3] or '', redis.call('HGETALL', key) }
