-- Replaces the groups of a session. A group that stays keeps its status; a participant whom the plan does not name
-- keeps their group while it stays; planned users whom the new plan does not name are forgotten.
-- KEYS[1] session  the session's hash
-- KEYS[2] slices  its slices
-- KEYS[3] sliceIndex  their order
-- ARGV[1] plan  JSON { groups: [[groupId, name as JSON, leaderId or '']], seats: [[userId, groupId, 'member' or 'leader']] }
-- ARGV[2] ttlMs  life after the last accepted write
-- returns { 'ok', card or '' when no other key wants renewal, fields before, fields after }, { 'not-found' } or { 'ended' }
local key = KEYS[1]
local before = redis.call('HGETALL', key)
if #before == 0 then return { 'not-found' } end
local was = {}
for i = 1, #before, 2 do was[before[i]] = before[i + 1] end
if was.status == 'ended' then return { 'ended' } end

local plan = cjson.decode(ARGV[1])
local order, stays = {}, {}
for place, group in ipairs(plan.groups) do
  local id, name, leader = group[1], group[2], group[3]
  order[place], stays[id] = id, true
  redis.call('HSET', key, 'g:' .. id, name)
  if leader == '' then redis.call('HDEL', key, 'l:' .. id) else redis.call('HSET', key, 'l:' .. id, leader) end
  if not was['g:' .. id] then redis.call('HSET', key, 's:' .. id, 'waiting', 'r:' .. id, '0') end
end
redis.call('HSET', key, 'order', table.concat(order, ' '))
for id in string.gmatch(was.order, '%S+') do
  if not stays[id] then
    redis.call('HDEL', key, 'g:' .. id, 'l:' .. id, 's:' .. id, 'r:' .. id, 'i:' .. id, 'o:' .. id)
  end
end

local named = {}
for _, seat in ipairs(plan.seats) do
  local user, group = seat[1], seat[2]
  if seat[3] == 'member' or was['p:' .. user] then
    named[user] = true
    redis.call('HSET', key, 'u:' .. user, redis.call('HINCRBY', key, 'places', 1) .. ' ' .. group)
  end
end
for field, value in pairs(was) do
  local user = string.match(field, '^u:(.+)')
  if user and not named[user] then
    local group = string.match(value, ' (.+)')
    if not (was['p:' .. user] and stays[group]) then redis.call('HDEL', key, field) end
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local renew = math.abs(now - was.renewed) >= 1000
if renew then redis.call('HSET', key, 'renewed', string.format('%.0f', now)) end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
return { 'ok', renew and was.card or '', before, redis.call('HGETALL', key) }
