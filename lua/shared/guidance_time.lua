-- Event time and now, in milliseconds since 1970; no event is more than 5 s ahead. Empty: the event is now.
local function times (given)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local at = given == '' and now or number(given, 0, 8.64e15)
  return at and math.min(at, now + 5000), now
end

-- A stored time far ahead was written before the clock was set back; it must hold up nothing for long.
local function stored_time (given, now)
  local time = number(given, 0, 8.64e15)
  return time and math.min(time, now + 5000)
end
