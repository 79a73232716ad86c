-- May a prompt go to this group now? A yes takes the slot.
-- KEYS[1] last  string: time of the last prompt
-- ARGV[1] cooldownMs  milliseconds between two prompts
-- ARGV[2] ttlSeconds  life of the key, renewed only by a yes
-- ARGV[3] at  event time in milliseconds since 1970, or empty for now
-- returns reason (first, cooled, cooling, late), previous time, remaining milliseconds

local function number (text, low, high)
  local value = text and string.match(text, '^[-+.%deE]+$') and tonumber(text)
  return value and value >= low and value <= high and value or nil
end

local function text (value) return value and string.format('%.17g', value) or '' end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = now
if ARGV[3] ~= '' then at = number(ARGV[3], 0, 8.64e15) end
local cooldown = number(ARGV[1], 0, 1e15)
local ttl = number(ARGV[2], 1, 1e13)
if not (cooldown and ttl and at) then return redis.error_reply('INVALID argument') end
at = math.min(at, now + 5000)

local last = number(redis.call('GET', KEYS[1]), 0, 8.64e15)
local reason, remaining = 'first', 0
if last then
  -- A stored time far ahead was written before the clock was set back; it must not block for long.
  last = math.min(last, now + 5000)
  remaining = last + cooldown - at
  if at < last then
    reason = 'late'
  elseif remaining > 0 then
    reason = 'cooling'
  else
    reason, remaining = 'cooled', 0
  end
end

if reason == 'first' or reason == 'cooled' then
  redis.call('SET', KEYS[1], text(at), 'EX', math.floor(ttl))
end
return { reason, text(last), text(remaining) }
