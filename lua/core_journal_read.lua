-- Reads kept events of a home room after a position, or only where it stands. A room that has no epoch gets one, and
-- one that is asked for keeps it, so that whoever waits in a quiet room loses nothing. Events do not live longer for it.
-- KEYS[1] log  hash: epoch, offset, run
-- KEYS[2] events  stream
-- KEYS[3] ids  hash of the events' ids
-- ARGV[1] epoch  of the position
-- ARGV[2] offset  of the position; empty for the one before the oldest event, in whichever epoch
-- ARGV[3] limit  how many events at most; 0 to ask only where the room stands
-- ARGV[4] ttlSeconds  life of the epoch
-- returns epoch, offset, 1 when events after the position are lost, then id, head, body, id, head, body, ...

-- with core_epoch
local epoch, offset = epoch_of(KEYS[1], KEYS[2], KEYS[3])
-- Written only now and then: each process that has readers asks every few seconds.
if redis.call('PTTL', KEYS[1]) < ARGV[4] * 500 then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
if ARGV[3] == '0' then return { epoch, offset, '0' } end

local last = tonumber(offset)
local oldest = last - redis.call('XLEN', KEYS[2])
local after = ARGV[2] == '' and oldest or tonumber(ARGV[2])
local strange = not after or after % 1 ~= 0 or (ARGV[2] ~= '' and ARGV[1] ~= epoch)
if strange or after < oldest or after > last then return { epoch, offset, '1' } end

local reply = { epoch, offset, '0' }
if after == last then return reply end
local from = epoch .. '-' .. string.format('%.0f', after + 1)
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', ARGV[3])) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
  reply[#reply + 1] = entry[2][4]
end
return reply
