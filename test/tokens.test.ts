import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import type { ClasswavesOptions } from '../index.ts'
import { build, inSeconds, secret, token, type App } from './app.ts'
import { raw, rawSocket } from './raw.ts'

/** What opens nothing, whoever shows it, and at every door the answer is the same. */

const noLimits = { failedConnectsPerMinute: 1e6, connectsPer10Seconds: 1e6, eventsPerSecond: 1e6, eventBurst: 1e6 }
const segment = (part: unknown): string => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const hs256 = { alg: 'HS256', typ: 'JWT' }
const claims = { sub: 'teacher-1', role: 'teacher', exp: inSeconds(3600) }

/** A token of texts that need not be JSON, rightly signed with `key`. */
function written (payload: unknown, header: unknown = hs256, key = secret): string {
  const text = `${segment(header)}.${segment(payload)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } })
const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 })

function signed384 (key: string): string {
  const text = `${segment({ alg: 'HS384', typ: 'JWT' })}.${segment(claims)}`
  return `${text}.${createHmac('sha384', key).update(text).digest('base64url')}`
}

function rs256 (header: object, key: Parameters<typeof sign>[2], payload: object = claims): string {
  const text = `${segment({ alg: 'RS256', typ: 'JWT', ...header })}.${segment(payload)}`
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

/** By what is wrong with it. */
const bad: Record<string, unknown> = {
  'no token': undefined,
  'an empty one': '',
  'not a text': { sub: 'teacher-1', role: 'teacher' },
  'a list of one': [token()],
  'no token of any kind': 'x.y.z',
  'two dots': '..',
  'one part': token().split('.')[0],
  'two parts': token().split('.').slice(0, 2).join('.'),
  'four parts': `${token()}.x`,
  'five parts, as if encrypted': `${token()}.x.y`,
  'a part twice': token().replace('.', '..'),
  'a token behind a token': `${token()},${token()}`,
  'with padding': `${token()}=`,
  'with a zero byte': `${token()}\0`,
  'longer than any': token({ name: 'x'.repeat(20_000) }),
  'a megabyte': 'x'.repeat(1_000_000),
  'a megabyte of claims': token({ more: 'x'.repeat(700_000) }),
  'of another secret': token({}, 'another secret of the tests'),
  'of a secret that begins like ours': token({}, secret.slice(0, -1)),
  'without a signature': token({}, ''),
  'signed with an empty key': written(claims, hs256, ''),
  'alg none': token({}, '', { alg: 'none', typ: 'JWT' }),
  'alg none, signed': token({}, secret, { alg: 'none', typ: 'JWT' }),
  'alg nOnE': token({}, '', { alg: 'nOnE', typ: 'JWT' }),
  'alg NONE': token({}, '', { alg: 'NONE', typ: 'JWT' }),
  'alg in small letters': token({}, secret, { alg: 'hs256', typ: 'JWT' }),
  'alg with a space': token({}, secret, { alg: 'HS256 ', typ: 'JWT' }),
  'alg empty': token({}, secret, { alg: '', typ: 'JWT' }),
  'alg a list': token({}, secret, { alg: ['HS256'], typ: 'JWT' }),
  'no alg': token({}, secret, { typ: 'JWT' }),
  'alg that we do not take': token({}, secret, { alg: 'RS256', typ: 'JWT' }),
  'alg said twice, none last': written(claims, '{"alg":"HS256","alg":"none"}'),
  'kid a path, with the bytes of that file as key': written(claims, { ...hs256, kid: '../../../../dev/null' }, ''),
  'kid a statement that yields a key': written(claims, { ...hs256, kid: "x' UNION SELECT 'key" }, 'key'),
  'kid an object': written(claims, { ...hs256, kid: { toString: 'key' } }, 'key'),
  'jwk of its own': rs256({ jwk: jwk.publicKey.export({ format: 'jwk' }) }, jwk.privateKey),
  'jwk of its own, symmetric': written(claims, { ...hs256, jwk: { kty: 'oct', k: segment('key') } }, 'key'),
  'x5u and jku of its own': rs256({ x5u: 'https://evil.example/chain.pem', jku: 'https://evil.example/keys' }, jwk.privateKey),
  'x5c of its own': rs256({ x5c: [segment('certificate')] }, jwk.privateKey),
  'crit that nobody knows': written(claims, { ...hs256, crit: ['bork'], bork: true }),
  'crit that is empty': written(claims, { ...hs256, crit: [] }),
  'crit that is a text': written(claims, { ...hs256, crit: 'b64' }),
  'crit b64': written(claims, { ...hs256, crit: ['b64'], b64: false }),
  'a header that is a list': written(claims, [hs256]),
  'changed after it was signed': token().replace(/\.(.*)\./, `.${segment({ ...claims, role: 'admin' })}.`),
  'claims that are a list': written([claims]),
  'claims that are null': written('null'),
  'claims that are no JSON': written('{"sub":"teacher-1",'),
  expired: token({ exp: inSeconds(-10) }),
  'expired, with the first exp in the future': written(`{"sub":"teacher-1","role":"teacher","exp":${inSeconds(3600)},"exp":${inSeconds(-10)}}`),
  'a role said twice, the last unknown': written(`{"sub":"teacher-1","role":"admin","exp":${inSeconds(3600)},"role":"principal"}`),
  'without exp': token({ exp: undefined }),
  'exp null': token({ exp: null }),
  'exp a text': token({ exp: String(inSeconds(3600)) }),
  'exp a list': token({ exp: [inSeconds(3600)] }),
  'exp a part of a second': token({ exp: inSeconds(3600) + 0.5 }),
  'exp beyond time': token({ exp: 1e300 }),
  'exp beyond numbers': written('{"sub":"teacher-1","role":"teacher","exp":1e999}'),
  'exp NaN': written('{"sub":"teacher-1","role":"teacher","exp":NaN}'),
  'expired before 1970': token({ exp: -1 }),
  'not valid yet': token({ nbf: inSeconds(1800) }),
  'nbf a text': token({ nbf: '0' }),
  'signed in the future': token({ iat: inSeconds(2 * 3600) }),
  'iat a text': token({ iat: String(inSeconds(0)) }),
  'without sub': token({ sub: undefined }),
  'a sub that is no id': token({ sub: 'a b' }),
  'a sub like a room': token({ sub: 'x:teacher' }),
  'a sub that is a list': token({ sub: ['teacher-1'] }),
  'without role': token({ role: undefined, sub: 'teacher-1' }),
  'role none': token({ role: 'none' }),
  'an unknown role': token({ role: 'principal' }),
  'several roles': token({ role: ['teacher', 'admin'], sub: 'teacher-1' }),
  'a refresh token': token({ type: 'refresh' })
}

type Door = (one: unknown) => Promise<unknown>
const places = ['/', '/sessions', '/guidance', '/of-the-host', '/dynamic-7']

/** Every way in, each with a connection of its own, and what it says to a token. */
async function doorsOf (t: Test, app: App, good: string): Promise<Record<string, Door>> {
  const live = await rawSocket(t, app.url, '/sessions', good)
  const head = (namespace: string): string => namespace === '/' ? '' : `${namespace},`
  const doors: Record<string, Door> = {}
  for (const namespace of places) {
    const wire = await raw(t, app.url)
    doors[namespace] = async one => {
      wire.send(`0${head(namespace)}${JSON.stringify({ token: one })}`)
      const text = (await wire.next(new RegExp(`^[04]${head(namespace)}\\{`))).slice(1 + head(namespace).length)
      return (JSON.parse(text) as { data?: unknown }).data ?? 'ok'
    }
  }
  doors['auth:refresh'] = async one => {
    live.send(`2/sessions,1${JSON.stringify(['auth:refresh', { token: one }])}`)
    const [answer] = JSON.parse((await live.next(/^3\/sessions,1\[/)).slice('3/sessions,1'.length)) as [{ ok: boolean, error?: unknown }]
    return answer.ok ? 'ok' : answer.error
  }
  for (const path of ['/sessions', '//metrics']) {
    doors[`GET ${path}`] = async one => {
      const { status, body } = await app.call('GET', path, undefined, undefined, typeof one === 'string' ? { authorization: `Bearer ${one}` } : {})
      return status < 400 ? 'ok' : { status, ...body }
    }
  }
  return doors
}

const message = 'The token is missing or not valid: it needs sub, role and exp, and a type must be access.'

/** What a door says to a bad token: one thing to all, but who held a good one may know that it has ended. */
function answerAt (door: string, name: string, one: unknown): object {
  const isOver = name.startsWith('expired')
  const over = { code: 'AUTH_EXPIRED', message: 'The token has expired.' }
  const plain = { code: 'AUTH_FAILED', message }
  if (door.startsWith('GET')) return { status: 401, statusCode: 401, error: 'Unauthorized', ...isOver ? over : plain }
  if (door === 'auth:refresh') {
    if (typeof one !== 'string' || one === '' || one.length > 16_384) return { code: 'INVALID_PAYLOAD', message: String, details: {} }
    return isOver ? over : plain
  }
  return isOver ? { ...over, code: 'AUTH_FAILED' } : plain
}

/** HTTP has no place for these: Node answers, or a client will not say them. */
const isUnsayable = (one: unknown): boolean => typeof one === 'string' && (one.length > 15_000 || one.includes('\0'))

async function refusedEverywhere (t: Test, options: ClasswavesOptions, tokens: Record<string, unknown>, good: string): Promise<void> {
  const app = await build(t, { limits: noLimits, ...options })
  app.app.io.of('/of-the-host')
  app.app.io.of(/^\/dynamic-\d+$/)
  const doors = await doorsOf(t, app, good)
  for (const [door, ask] of Object.entries(doors)) {
    const wrong: string[] = []
    for (const [name, one] of Object.entries(tokens)) {
      if (door.startsWith('GET') && isUnsayable(one)) continue
      const answer = await ask(one).catch((error: Error) => error.message)
      const wanted = answerAt(door, name, one)
      const isSame = 'details' in wanted ? (answer as { code?: string }).code === 'INVALID_PAYLOAD' : JSON.stringify(sorted(answer)) === JSON.stringify(sorted(wanted))
      if (isSame) continue
      wrong.push(`${name}: ${JSON.stringify(answer).slice(0, 300)}`)
      break // what it has opened may be closed by now, and answers the next ones in its own way
    }
    t.same(wrong, [], `${door} refuses ${Object.keys(tokens).length} of ${Object.keys(tokens).length}`)
    if (wrong.length === 0) t.equal(await ask(good), 'ok', `${door}: a good one`)
  }
  const logged = app.log()
  const parts = Object.values(tokens).concat(good).flatMap(one => typeof one === 'string' ? one.split('.').slice(1) : []).filter(part => part.length > 16)
  t.same(parts.filter(part => logged.includes(part)), [], 'and nothing of them is logged')
  t.ok(logged.split('\n').length > Object.keys(tokens).length, 'though every request is')
}

function sorted (value: unknown): unknown { return typeof value === 'object' && value !== null ? Object.entries(value).sort() : value }

const admin = { ...claims, sub: 'admin-1', role: 'admin' }

t.test('one secret', async t => {
  await refusedEverywhere(t, { jwt: { secret } }, bad, token(admin))
})

t.test('a pair of keys: its public half is no secret', async t => {
  const good = rs256({}, rsa.privateKey, admin)
  const tokens = {
    ...Object.fromEntries(Object.entries(bad).filter(([name]) => /^(alg|kid|jwk|x5)/.test(name))),
    'of a secret': token(),
    'past its end, and signed by another': bad.expired,
    expired: rs256({}, rsa.privateKey, { ...admin, exp: inSeconds(-10) }),
    'HS256 with the public key (CVE-2023-48223)': written(claims, hs256, rsa.publicKey),
    'HS256 with the public key, trimmed': written(claims, hs256, rsa.publicKey.trim()),
    'HS256 with the public key and white space before it (CVE-2026-34950)': written(claims, hs256, `\n${rsa.publicKey}`),
    'HS384 with the public key': signed384(rsa.publicKey),
    'of another pair': rs256({}, jwk.privateKey),
    'without a signature': good.replace(/[^.]+$/, '')
  }
  // Such white space once hid from the verifier that this is a public key.
  for (const before of ['', '\n']) {
    await refusedEverywhere(t, { jwt: { secret: { private: rsa.privateKey, public: before + rsa.publicKey }, sign: { algorithm: 'RS256' } } }, tokens, good)
  }
})

t.test('a secret that signs for others as well', async t => {
  const [aud, iss] = ['classwaves', 'https://school.example']
  const jwt = { secret, sign: { aud, iss }, verify: { allowedAud: aud, allowedIss: iss, requiredClaims: ['aud', 'iss'] } }
  const ours = { ...admin, aud, iss }
  await refusedEverywhere(t, { jwt }, {
    'for somebody else': token({ ...ours, aud: 'payroll' }),
    'for several others': token({ ...ours, aud: ['payroll', 'classwaves.evil.example'] }),
    'for nobody': token({ ...ours, aud: undefined }),
    'for a list of none': token({ ...ours, aud: [] }),
    'for an object': token({ ...ours, aud: { classwaves: true } }),
    'for us in other letters': token({ ...ours, aud: 'ClassWaves' }),
    'of another issuer': token({ ...ours, iss: 'https://school.example.evil' }),
    'of several issuers (CVE-2025-30144)': token({ ...ours, iss: ['https://evil.example', iss] }),
    'of no issuer': token({ ...ours, iss: undefined }),
    expired: token({ ...ours, exp: inSeconds(-10) })
  }, token(ours))
  const app = await build(t, { jwt })
  await app.connect('/sessions', token({ ...ours, aud: ['payroll', aud] }))
  const { code } = await app.session(token(ours))
  const { body } = await app.call('POST', '/sessions/join', { code, displayName: 'Ada' })
  await app.connect('/sessions', String(body.token))
})

t.test('what nobody looks at opens nothing and closes nothing', async t => {
  const app = await build(t)
  for (const header of [{ kid: '../../../../dev/null' }, { kid: { a: 1 } }, { jwk: {} }, { x5u: 'https://evil.example' }, { typ: undefined }]) {
    await app.connect('/sessions', written(claims, { ...hs256, ...header }))
  }
  const twice = written(`{"sub":"teacher-1","role":"admin","exp":${inSeconds(3600)},"role":"student"}`)
  t.match(await app.refusal('/guidance', twice), { code: 'FORBIDDEN' }, 'of a claim that is said twice the last one counts, as RFC 7519 allows')
  t.equal((await app.call('POST', '/sessions', { topic: 'x' }, twice)).status, 403)
})
