import { Redis } from 'ioredis'
import t from 'tap'
import { environment, optionsFromEnv, parseOptions } from '../../lib/options.ts'

t.test('defaults are filled in; things that are not data stay the same objects', async t => {
  const authorize = (): boolean => true
  const redis = new Redis({ lazyConnect: true })
  const options = parseOptions({ jwt: { secret: 's' }, authorize, redis, sessions: { codeLength: 8 } })
  t.equal(options.authorize, authorize)
  t.equal(options.redis, redis)
  t.match(options, { routes: { prefix: '/api/v1' }, sessions: { codeLength: 8, ttlSeconds: 3600 }, guidance: { cooldownMs: 90_000 }, limits: { depth: 32 } })
})

t.test('an area that is false stays out', async t => {
  t.equal(parseOptions({ guidance: false }).guidance, false)
})

const faults: [unknown, RegExp][] = [
  [{ sesions: {} }, /sesions is not known; did you mean sessions\?/],
  [{ guidance: { coolDownMs: 1 } }, /guidance\.coolDownMs is not known; did you mean cooldownMs/],
  [{ limits: { depth: '32' } }, /limits\.depth must be integer/],
  [{ limits: { depth: 0 } }, /limits\.depth must be >= 1/],
  [{ redis: 'localhost' }, /redis must be a redis:\/\/ or rediss:\/\/ URL/],
  [{ redis: true }, /option redis must be/],
  [{ redis: { host: 'localhost', port: 6379 } }, /option redis must be/],
  [{ metrics: { registry: {} } }, /option metrics\.registry must be a registry/],
  [{ guidance: { analyzer: {} } }, /option guidance\.analyzer must be an object with the functions/],
  [{ guidance: { analyzer: { tier3: async () => ({}) } } }, /option guidance\.analyzer must be/],
  [{ guidance: { analyzer: { tier1: async () => ({}), tier2: 'https://school.example' } } }, /option guidance\.analyzer must be/],
  [{ authorize: 'yes' }, /authorize must be a function/],
  [{ sessions: true }, /sessions must be an object/],
  [{ sessions: { codeLength: 11 } }, /sessions\.codeLength must be <= 10/],
  [{ routes: { prefix: 'api' } }, /routes\.prefix must be false or a path/],
  [{ constructor: 1 }, /constructor is not known/],
  [7, /the options must be an object/],
  [{ limits: [] }, /limits must be an object/]
]
for (const [given, message] of faults) {
  t.test(`${JSON.stringify(given)} fails with a sentence`, async t => {
    t.throws(() => parseOptions(given), { name: 'OptionsError', message })
  })
}

t.test('the seeds\' variables become options', async t => {
  t.same(optionsFromEnv({
    JWT_SECRET: 's', REDIS_URL: 'redis://localhost:6379', SLI_SESSION_TTL_SECONDS: '7200', GUIDANCE_AUTOPROMPT_COOLDOWN_MS: '60000',
    GUIDANCE_TIER2_SHIFT_ENABLED: '0', GUIDANCE_ATTENTION_DELTA_SCORE: '', UNRELATED: 'x'
  }), {
    jwt: { secret: 's' }, redis: 'redis://localhost:6379', sessions: { ttlSeconds: 7200 }, guidance: { cooldownMs: 60_000, tier2ShiftEnabled: false }
  })
  t.same(optionsFromEnv({}), {})
})

t.test('a variable of the wrong kind is named', async t => {
  t.throws(() => optionsFromEnv({ SLI_SESSION_TTL_SECONDS: 'long' }), /SLI_SESSION_TTL_SECONDS must be a number/)
  t.throws(() => optionsFromEnv({ GUIDANCE_AUTO_PROMPTS: 'maybe' }), /GUIDANCE_AUTO_PROMPTS must be 1 or 0/)
  t.throws(() => optionsFromEnv({ SLI_SESSION_TTL_SECONDS: '-5' }), /sessions\.ttlSeconds must be >= 1/)
})

t.test('every variable sets an option that exists', async t => {
  for (const [variable, , kind] of environment) {
    const value = kind === 'text' ? 'redis://localhost' : kind === 'flag' ? '1' : '5'
    t.doesNotThrow(() => parseOptions(optionsFromEnv({ [variable]: value })), variable)
  }
})
