-- The epoch and the offset of a home room. An epoch holds as long as this Redis runs: after a restart nobody can say
-- whether the last events were saved.
local function epoch_of (log, events, ids)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local epoch, stored, offset = unpack(redis.call('HMGET', log, 'epoch', 'run', 'offset'))
  if epoch and stored == run then return epoch, offset end

  local time = redis.call('TIME')
  local fresh = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if epoch and fresh <= tonumber(epoch) then fresh = tonumber(epoch) + 1 end
  epoch = string.format('%.0f', fresh)
  redis.call('DEL', events, ids)
  redis.call('HSET', log, 'epoch', epoch, 'run', run, 'offset', '0')
  return epoch, '0'
end
