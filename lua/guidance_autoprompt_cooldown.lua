-- May a prompt go to this group now? A yes takes the slot.
-- KEYS[1] last  string: time of the last prompt
-- ARGV[1] cooldownMs  milliseconds between two prompts
-- ARGV[2] ttlSeconds  life of the key, renewed only by a yes
-- ARGV[3] at  event time in milliseconds since 1970, or empty for now
-- returns reason (first, cooled, cooling, late), previous time, remaining milliseconds

-- with guidance_number
-- with guidance_time
-- with guidance_throttle
return throttle(KEYS[1], ARGV[1], ARGV[2], ARGV[3], 'cooled', 'cooling')
