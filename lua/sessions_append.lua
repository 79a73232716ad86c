-- Appends slices, each id once; past the bound the oldest fall out.
-- A call that is repeated, by a client that missed the answer, gets that answer again.
-- KEYS[1] session  the session's hash
-- KEYS[2] slices  hash: id to 'seq now op groupId JSON'
-- KEYS[3] sliceIndex  sorted set of ' seq id' for the session and 'groupId seq id' for each group
-- ARGV[1] batch  JSON [[groupId, id, slice as JSON]]
-- ARGV[2] bound  the most slices a session may have
-- ARGV[3] op  hexadecimal name of this call
-- ARGV[4] retellMs  for how long a slice that comes again is told again
-- ARGV[5] ttlMs  life after the last accepted write
-- returns { 'ok', card or '' when no other key wants renewal, { 'seq now' or '' when the id was known, for each slice }, { rows of those known ones that are to be told again } }, { 'not-found' }, { 'not-active', status } or { 'group-not-found', groupId }
local key, slices, index, op = KEYS[1], KEYS[2], KEYS[3], ARGV[3]
local head = redis.call('HMGET', key, 'status', 'renewed', 'card')
local status = head[1]
if not status then return { 'not-found' } end
if status == 'created' or status == 'ended' then return { 'not-active', status } end
local batch = cjson.decode(ARGV[1])
for _, slice in ipairs(batch) do
  if redis.call('HEXISTS', key, 'g:' .. slice[1]) == 0 then return { 'group-not-found', slice[1] } end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local stamps, known, seen, written, again = {}, {}, {}, false, false
for i, slice in ipairs(batch) do
  local group, id = slice[1], slice[2]
  local held = redis.call('HGET', slices, id)
  if seen[id] then
    stamps[i] = ''
  elseif held then
    local own = string.match(held, '^(%d+ %d+) ' .. op .. ' ')
    stamps[i], again = own or '', again or own
    if not own and now - string.match(held, '^%d+ (%d+)') < tonumber(ARGV[4]) then known[#known + 1] = held end
  else
    local seq = redis.call('HINCRBY', key, 'seq', 1)
    local place = string.format(' %010d ', seq) .. id
    redis.call('HSET', slices, id, table.concat({ seq, stamp, op, group, slice[3] }, ' '))
    redis.call('ZADD', index, 0, place, 0, group .. place)
    stamps[i], written = seq .. ' ' .. stamp, true
  end
  seen[id] = true
end
if not written then return { 'ok', again and head[3] or '', stamps, known } end

local over = redis.call('HLEN', slices) - tonumber(ARGV[2])
if over > 0 then
  for _, place in ipairs(redis.call('ZRANGEBYLEX', index, '[ ', '(!', 'LIMIT', 0, over)) do
    local id = string.match(place, '^ %d+ (.+)')
    local group = string.match(redis.call('HGET', slices, id) or '', '^%d+ %d+ %x+ (%S+)') or ''
    redis.call('HDEL', slices, id)
    redis.call('ZREM', index, place, group .. place)
  end
end
local renew = math.abs(now - head[2]) >= 1000
if renew then redis.call('HSET', key, 'renewed', stamp) end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return { 'ok', renew and head[3] or '', stamps, known }
