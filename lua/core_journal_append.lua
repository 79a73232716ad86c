-- Gives a kept event the next offset of its home room, stores it and publishes it, in one step. An epoch holds as
-- long as this Redis runs: after a restart nobody can say whether the last events were saved.
-- KEYS[1] log  hash: epoch, offset, run (of the server), op:<id> offset of a late event, slot:<n> its id
-- KEYS[2] events  stream: <epoch>-<offset> with the body
-- ARGV[1] id  of the event; a known one is not appended again
-- ARGV[2] head  JSON of namespace and rooms, for whoever must decide whether to read on
-- ARGV[3] body  JSON of event, payload and metadata
-- ARGV[4] channel  where it is published
-- ARGV[5] events  how many are kept
-- ARGV[6] ids  how many ids are remembered
-- ARGV[7] ttlSeconds  life of both keys after this
-- returns epoch, offset

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local epoch, stored = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'run'))
if not epoch or stored ~= run then
  local time = redis.call('TIME')
  local fresh = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if epoch and fresh <= tonumber(epoch) then fresh = tonumber(epoch) + 1 end
  epoch = string.format('%.0f', fresh)
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run, 'offset', '0')
end

local known = redis.call('HGET', KEYS[1], 'op:' .. ARGV[1])
if known then return { epoch, known } end

local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
local place = string.format('%.0f', offset)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], epoch .. '-' .. place, 'head', ARGV[2], 'body', ARGV[3])

local slot = 'slot:' .. string.format('%.0f', offset % tonumber(ARGV[6]))
local old = redis.call('HGET', KEYS[1], slot)
if old then redis.call('HDEL', KEYS[1], 'op:' .. old) end
redis.call('HSET', KEYS[1], slot, ARGV[1], 'op:' .. ARGV[1], place)

redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('PUBLISH', ARGV[4], epoch .. ' ' .. place .. ' ' .. ARGV[2] .. '\n' .. ARGV[3])
return { epoch, place }
