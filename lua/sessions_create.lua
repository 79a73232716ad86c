-- Stores a new session. A call that is repeated, by a client that missed the answer, changes nothing.
-- KEYS[1] session  the session's hash
-- ARGV[1] card  JSON of what never changes; never decoded here
-- ARGV[2] needsReady  1 when the first start waits for every group, else 0
-- ARGV[3] plan  JSON { groups: [[groupId, name as JSON, leaderId or '']], seats: [[userId, groupId, 'member' or 'leader']] }
-- ARGV[4] ttlMs  life after the last accepted write
-- returns { 'made' | 'repeated', fields of the hash } or { 'in-use' }: the id belongs to another session
local key = KEYS[1]
local card = redis.call('HGET', key, 'card')
if card and card ~= ARGV[1] then return { 'in-use' } end
if card then return { 'repeated', redis.call('HGETALL', key) } end

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local plan = cjson.decode(ARGV[3])
local order = {}
for place, group in ipairs(plan.groups) do
  local id, name, leader = group[1], group[2], group[3]
  order[place] = id
  redis.call('HSET', key, 'g:' .. id, name, 's:' .. id, 'waiting', 'r:' .. id, '0')
  if leader ~= '' then redis.call('HSET', key, 'l:' .. id, leader) end
end
local places = 0
for _, seat in ipairs(plan.seats) do
  if seat[3] == 'member' then
    places = places + 1
    redis.call('HSET', key, 'u:' .. seat[1], places .. ' ' .. seat[2])
  end
end
redis.call('HSET', key, 'card', ARGV[1], 'needsReady', ARGV[2], 'order', table.concat(order, ' '), 'places', places,
  'status', 'created', 'version', '1', 'createdAt', now, 'renewed', now)
redis.call('PEXPIRE', key, ARGV[4])
return { 'made', redis.call('HGETALL', key) }
