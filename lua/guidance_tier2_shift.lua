-- May a tier2 shift of this group be announced now? A yes takes the slot.
-- KEYS[1] last  string: time of the last announcement
-- ARGV[1] throttleMs  milliseconds between two announcements
-- ARGV[2] ttlSeconds  life of the key, renewed only by a yes
-- ARGV[3] at  event time in milliseconds since 1970, or empty for now
-- returns reason (first, elapsed, throttled, late), previous time, remaining milliseconds

-- with guidance_number
-- with guidance_time
-- with guidance_throttle
return throttle(KEYS[1], ARGV[1], ARGV[2], ARGV[3], 'elapsed', 'throttled')
