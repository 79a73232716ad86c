import Type, { type Static } from 'typebox'
import type { Authorize } from './core/access.ts'
import { Limits } from './core/limits.ts'
import { area, flag, isFunction, isObject, ms, OptionsError, parse, thing } from './core/options.ts'
import { isRedisClient } from './core/redis.ts'
import { Closed } from './core/schema.ts'
import type { TraceApi } from './core/tracing.ts'
import { ClassroomOptions } from './classroom/options.ts'
import { GuidanceOptions } from './guidance/options.ts'
import { SessionsOptions } from './sessions/options.ts'

/** Every option of `app.register(classwaves, options)`. */
export const Options = Closed({
  jwt: thing<Record<string, unknown>>('handed to @fastify/jwt; required unless the host registered it', isObject, 'an object'),
  redis: thing<unknown>(
    'Redis URL, ioredis client, or false; default: the host\'s fastify.redis, else none',
    value => value === false || isRedisClient(value) || (typeof value === 'string' && /^(redis|rediss|unix):\/\//.test(value)),
    'a redis:// or rediss:// URL, an ioredis client, or false'
  ),
  redisTimeoutMs: ms(2_000, 'how long boot waits for Redis before it serves degraded'),
  io: thing<Record<string, unknown>>('Socket.IO server options', isObject, 'an object'),
  origins: Type.Array(Type.String({ pattern: '^(null|https?://[^/]+)$' }), { default: [], description: 'origins of pages on other hosts that may connect, such as https://school.example; null is a page that was opened from the disk' }),
  drainMs: ms(5_000, 'over how long closing sends clients away, at most'),
  limits: Limits,
  fastWire: flag(true, 'write broadcasts to the connections directly, and all of one turn together, where Socket.IO is one that this was tested with; false leaves all of it to Socket.IO'),
  routes: Closed({
    prefix: Type.Refine(
      Type.Unsafe<string | false>({ default: '/api/v1', description: 'prefix of the REST routes; false for none' }),
      value => value === false || (typeof value === 'string' && /^(\/[^/]+)*$/.test(value)),
      () => 'must be false or a path such as /api/v1'
    )
  }),
  pages: flag(false, 'serve the teacher\'s page at /teach and the pupils\' page at /join'),
  authorize: thing<Authorize>('the host\'s word on access: (user, action, resource) => boolean', isFunction, 'a function'),
  addressOf: thing<(headers: Record<string, string | string[] | undefined>, address: string) => string>(
    'the client\'s address behind a proxy: (headers, address) => string', isFunction, 'a function'
  ),
  metrics: Closed({
    public: flag(false, 'GET /metrics without a token'),
    registry: thing<unknown>('the host\'s prom-client registry', value => isObject(value) && isFunction((value as { registerMetric?: unknown }).registerMetric), 'a registry')
  }),
  tracing: thing<TraceApi>(
    'the module @opentelemetry/api of the host; without it nothing is traced',
    value => isObject(value) && ['trace', 'context'].every(part => isObject((value as Record<string, unknown>)[part])), 'the module @opentelemetry/api'
  ),
  sessions: area(SessionsOptions, 'settings of the sessions area; false leaves it out'),
  guidance: area(GuidanceOptions, 'settings of the guidance area; false leaves it out'),
  classroom: area(ClassroomOptions, 'settings of the classroom area; false leaves it out')
})

type Given<T> = T extends (...args: never[]) => unknown ? T : T extends (infer U)[] ? U[] : T extends object ? { [K in keyof T]?: Given<T[K]> } : T

/** What the host passes: everything may be left out. */
export type ClasswavesOptions = Given<Static<typeof Options>>
export type ParsedOptions = Static<typeof Options>

/** @throws OptionsError with a sentence that names the option */
export function parseOptions (given: unknown): ParsedOptions {
  return parse(Options, given)
}

type Mapping = readonly [variable: string, path: string, kind: 'text' | 'number' | 'flag']

/** The seeds' variables and the options that they set. */
export const environment: readonly Mapping[] = [
  ['JWT_SECRET', 'jwt.secret', 'text'],
  ['REDIS_URL', 'redis', 'text'],
  ['SLI_SESSION_TTL_SECONDS', 'sessions.ttlSeconds', 'number'],
  ['GUIDANCE_ATTENTION_DELTA_SCORE', 'guidance.minScoreDelta', 'number'],
  ['GUIDANCE_ATTENTION_DELTA_MS', 'guidance.minTimeDeltaMs', 'number'],
  ['GUIDANCE_ATTN_HALF_LIFE_MS', 'guidance.halfLifeMs', 'number'],
  ['GUIDANCE_AUTOPROMPT_COOLDOWN_MS', 'guidance.cooldownMs', 'number'],
  ['GUIDANCE_AUTO_PROMPTS', 'guidance.autoPrompts', 'flag'],
  ['GUIDANCE_TIER1_WARMUP_MS', 'guidance.tier1WarmupMs', 'number'],
  ['GUIDANCE_TIER2_SHIFT_ENABLED', 'guidance.tier2ShiftEnabled', 'flag'],
  ['AI_TIER1_WINDOW_MS', 'guidance.tier1WindowMs', 'number'],
  ['AI_TIER2_WINDOW_MS', 'guidance.tier2WindowMs', 'number'],
  ['TEACHER_PROMPT_MAX_PER_SESSION', 'guidance.maxPromptsPerSession', 'number'],
  ['TEACHER_PROMPT_EXPIRATION_MINUTES', 'guidance.promptExpiryMinutes', 'number']
]

/**
 * Options from environment variables; what is not set, or empty, is left to its default.
 * @throws OptionsError when a variable is not of its kind
 */
export function optionsFromEnv (env: Readonly<Record<string, string | undefined>>): ClasswavesOptions {
  const options: Record<string, unknown> = {}
  for (const [variable, path, kind] of environment) {
    const text = env[variable]?.trim()
    if (!text) continue
    const steps = path.split('.')
    const last = steps.pop() as string
    let place = options
    for (const step of steps) place = (place[step] ??= {}) as Record<string, unknown>
    place[last] = read(variable, text, kind)
  }
  parse(Options, options)
  return options as ClasswavesOptions
}

function read (variable: string, text: string, kind: Mapping[2]): unknown {
  if (kind === 'text') return text
  if (kind === 'flag') {
    if (/^(1|true|on)$/i.test(text)) return true
    if (/^(0|false|off)$/i.test(text)) return false
    throw new OptionsError(`fastify-classwaves: ${variable} must be 1 or 0, not ${JSON.stringify(text)}`)
  }
  const value = Number(text)
  if (!Number.isFinite(value)) throw new OptionsError(`fastify-classwaves: ${variable} must be a number, not ${JSON.stringify(text)}`)
  return value
}
