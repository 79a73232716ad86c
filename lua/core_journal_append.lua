-- Gives a kept event the next offset of its home room, stores it and publishes it, in one step.
-- KEYS[1] log  hash: epoch, offset, run (of the server), high:<name> the highest number of a series
-- KEYS[2] events  stream: <epoch>-<offset> with head, body and id
-- KEYS[3] ids  hash: offset of each kept event by its id
-- ARGV[1] id  of the event; a known one is not appended again, nor is one of a series (name#number) out of turn
-- ARGV[2] head  JSON of namespace and rooms, for whoever must decide whether to read on
-- ARGV[3] body  JSON of event, payload and metadata
-- ARGV[4] channel  where it is published
-- ARGV[5] events  how many are kept
-- ARGV[6] ttlSeconds  life of the keys after this
-- returns epoch, offset

-- with core_epoch
local epoch, offset = epoch_of(KEYS[1], KEYS[2], KEYS[3])
local known = redis.call('HGET', KEYS[3], ARGV[1])
if known then return { epoch, known } end
local name, number = string.match(ARGV[1], '^(.+)#(%d+)$')
if name then
  local highest = redis.call('HGET', KEYS[1], 'high:' .. name)
  if highest and tonumber(number) <= tonumber(highest) then return { epoch, offset } end
end

local place = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'offset', 1))
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[5]) then
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  redis.call('HDEL', KEYS[3], oldest[2][6])
end
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], epoch .. '-' .. place, 'head', ARGV[2], 'body', ARGV[3], 'id', ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], place)
if name then redis.call('HSET', KEYS[1], 'high:' .. name, number) end

for i = 1, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[6]) end
redis.call('PUBLISH', ARGV[4], epoch .. ' ' .. place .. ' ' .. ARGV[2] .. '\n' .. ARGV[3])
return { epoch, place }
