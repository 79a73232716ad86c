-- A yes takes the slot for an interval (milliseconds); a refusal changes nothing.
local function throttle (key, interval, ttl, given, yes, no)
  local at, now = times(given)
  interval, ttl = number(interval, 0, 1e15), number(ttl, 1, 1e13)
  if not (interval and ttl and at) then return redis.error_reply('INVALID argument') end

  local last = stored_time(redis.call('GET', key), now)
  local reason, remaining = 'first', 0
  if last then
    remaining = last + interval - at
    if at < last then
      reason = 'late'
    elseif remaining > 0 then
      reason = no
    else
      reason, remaining = yes, 0
    end
  end
  if reason == 'first' or reason == yes then redis.call('SET', key, text(at), 'EX', math.floor(ttl)) end
  return { reason, text(last), text(remaining) }
end
