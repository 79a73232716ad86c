-- Makes a user a participant, in the group that was asked for, else the one that plans them, else the smallest.
-- A call that is repeated, by a client that missed the answer, gets that answer again.
-- KEYS[1] session  the session's hash
-- KEYS[2] slices  its slices
-- KEYS[3] sliceIndex  their order
-- ARGV[1] userId  the user
-- ARGV[2] groupId  the group, or '' to have one chosen
-- ARGV[3] person  JSON { displayName, role }; never decoded here
-- ARGV[4] bound  the most participants a session may have
-- ARGV[5] op  hexadecimal name of this call
-- ARGV[6] ttlMs  life after the last accepted write
-- returns { 'ok', 1 when enrolled by this call, card or '' when no other key wants renewal, fields }, { 'not-found' }, { 'ended' }, { 'group-not-found' } or { 'full' }
local key, user, group, op = KEYS[1], ARGV[1], ARGV[2], ARGV[5]
local head = redis.call('HMGET', key, 'status', 'renewed', 'card', 'order', 'people', 'p:' .. user, 'u:' .. user)
if not head[1] then return { 'not-found' } end
if head[1] == 'ended' then return { 'ended' } end
if head[6] then
  local again = string.match(head[6], '^%d+ %d+ ' .. op .. ' ')
  return { 'ok', again and 1 or 0, again and head[3] or '', redis.call('HGETALL', key) }
end
if group ~= '' and redis.call('HEXISTS', key, 'g:' .. group) == 0 then return { 'group-not-found' } end
if tonumber(head[5] or 0) >= tonumber(ARGV[4]) then return { 'full' } end

local planned = head[7] and string.match(head[7], ' (.+)')
if group == '' and planned then group = planned end
if group == '' then
  local sizes, smallest = {}, nil
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local seated = string.sub(all[i], 1, 2) == 'u:' and string.match(all[i + 1], ' (.+)')
    if seated then sizes[seated] = (sizes[seated] or 0) + 1 end
  end
  for id in string.gmatch(head[4], '%S+') do
    if redis.call('HGET', key, 'l:' .. id) == user then group = id break end
    if not smallest or (sizes[id] or 0) < (sizes[smallest] or 0) then smallest = id end
  end
  if group == '' then group = smallest or '' end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local place = redis.call('HINCRBY', key, 'places', 1)
redis.call('HINCRBY', key, 'people', 1)
redis.call('HSET', key, 'p:' .. user, place .. ' ' .. stamp .. ' ' .. op .. ' ' .. ARGV[3])
if group ~= '' and group ~= planned then redis.call('HSET', key, 'u:' .. user, place .. ' ' .. group) end

local renew = math.abs(now - head[2]) >= 1000
if renew then redis.call('HSET', key, 'renewed', stamp) end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
return { 'ok', 1, renew and head[3] or '', redis.call('HGETALL', key) }
