-- Counts towards a limit in a fixed window, which opens with the first count. A refusal changes nothing.
-- KEYS[1] count  string: what was counted; it lives as long as the window
-- ARGV[1] limit  how many the window allows
-- ARGV[2] windowMs  length of a window that opens now
-- ARGV[3] counts  1 to count, 0 only to look
-- returns allowed (1 or 0), milliseconds until the window ends (0 when allowed)

local limit = tonumber(ARGV[1])
local used = tonumber(redis.call('GET', KEYS[1]) or '0')

if used >= limit then
  local left = redis.call('PTTL', KEYS[1])
  -- Without a window the limit itself is 0.
  if left < 0 then left = tonumber(ARGV[2]) end
  return { 0, math.max(1, left) }
end

if ARGV[3] == '1' then
  if used == 0 then
    redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
  else
    redis.call('INCR', KEYS[1])
  end
end
return { 1, 0 }
