-- Takes signs of life in one class, then settles everybody for whom something is due: lapsed seats, the end of a
-- grace, idle and away. Who changes is returned once, to whoever happens to ask. Twin of applySigns in presence.ts.
-- KEYS[1] people  hash: userId to JSON of name, role, since, said, seats { ends, status, at }, gone
-- KEYS[2] due  sorted set: userId by the time at which something of them changes by itself
-- ARGV[1] signs  JSON list of [kind, userId, seat, name or status, role]
-- ARGV[2] leaseMs  length of a lease
-- ARGV[3] graceMs  how long a user without a seat stays
-- ARGV[4] idleAfterMs  silence after which a seat is idle
-- ARGV[5] awayAfterMs  silence after which a seat is away
-- ARGV[6] late  1 when the caller was kept from renewing: all get a new lease
-- ARGV[7] list  1 to get everybody
-- returns how many are there, now, { userId, status, name, role, ... }, { userId, row, ... }

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local lease, grace, idle, away = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local rank = { active = 2, idle = 1, away = 0 }
local loaded, order, changes = {}, {}, {}

local function load(user)
  if loaded[user] == nil then
    local row = redis.call('HGET', KEYS[1], user)
    loaded[user] = row and cjson.decode(row) or false
    order[#order + 1] = user
  end
  return loaded[user]
end

if ARGV[6] == '1' then
  for _, user in ipairs(redis.call('HKEYS', KEYS[1])) do
    for _, seat in pairs(load(user).seats) do seat.ends = now + lease end
  end
end

for _, sign in ipairs(cjson.decode(ARGV[1])) do
  local kind, user, id = sign[1], sign[2], sign[3]
  local one = load(user)
  if kind == 'here' or kind == 'renew' then
    one = one or { name = sign[4], role = sign[5], since = now, said = '', seats = {} }
    loaded[user] = one
    if kind == 'here' or not one.seats[id] then one.seats[id] = { status = 'active', at = now } end
    one.seats[id].ends = now + lease
    one.gone, one.left = nil, nil
  elseif one and one.seats[id] then
    if kind == 'say' then
      one.seats[id].status, one.seats[id].at = sign[4], now
    else
      one.seats[id] = nil
      if not next(one.seats) and kind == 'leave' then one.left = true elseif not next(one.seats) then one.gone = now + grace end
    end
  end
end
for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do load(user) end

for _, user in ipairs(order) do
  local one, best, due = loaded[user] or { seats = {} }, nil, math.huge
  for id, seat in pairs(one.seats) do
    local quiet, status = now - seat.at, seat.status
    if quiet >= away then status = 'away' elseif status == 'active' and quiet >= idle then status = 'idle' end
    if seat.ends <= now then one.seats[id] = nil else
      if not best or rank[status] > rank[best] then best = status end
      due = math.min(due, seat.ends, seat.at + away > now and seat.at + away or due, seat.at + idle > now and seat.at + idle or due)
    end
  end
  if not best and one.gone and one.gone > now and one.said ~= '' then best, due = one.said, one.gone end
  local status = best or one.left and 'left' or 'disconnected'
  if one.name and status ~= one.said then for _, word in ipairs({ user, status, one.name, one.role }) do changes[#changes + 1] = word end end
  one.said = best
  if best then redis.call('HSET', KEYS[1], user, cjson.encode(one)) else redis.call('HDEL', KEYS[1], user) end
  if best then redis.call('ZADD', KEYS[2], due, user) else redis.call('ZREM', KEYS[2], user) end
end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], lease + grace + 60000) end
return { redis.call('HLEN', KEYS[1]), string.format('%.0f', now), changes, ARGV[7] == '1' and redis.call('HGETALL', KEYS[1]) or {} }
