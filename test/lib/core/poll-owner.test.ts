import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { PollOwners, unclaimedMs } from '../../../lib/core/poll-owner.ts'

interface From { address?: string, cookie?: string, authorization?: string, tls?: boolean, proto?: string }

function request ({ address = 'here', cookie, authorization, tls = false, proto }: From = {}): IncomingMessage {
  const headers = { ...(cookie && { cookie }), ...(authorization && { authorization }), ...(proto && { 'x-forwarded-proto': proto }) }
  return { headers, socket: { remoteAddress: address, ...(tls && { encrypted: true }) } } as unknown as IncomingMessage
}

const clock = { ms: 0 }
const owners = (): PollOwners => new PollOwners({
  addressOf: ({ socket }) => String(socket.remoteAddress), path: '/socket.io', now: () => clock.ms,
  // `Bearer x-1` and `Bearer x-2` are tokens of x.
  userOf: authorization => /^Bearer (\w+)-\d$/.exec(authorization)?.[1]
})
/** What a client sends back of a greeting. */
const kept = (greeting: string | undefined): string => String(greeting).split(';')[0] as string

t.test('a handshake that shows nothing gets a cookie of its own', async t => {
  const all = owners()
  const [one, other] = [all.greeting(request()), all.greeting(request())]
  t.match(one, /^classwaves_poll=[\w-]{20}; Path=\/socket\.io; HttpOnly; SameSite=Lax$/)
  t.not(one, other)
  for (const secure of [{ tls: true }, { proto: 'https' }]) t.match(all.greeting(request(secure)), /; HttpOnly; SameSite=None; Secure; Partitioned$/)
  t.equal(all.greeting(request({ cookie: `a=b; ${kept(one)}` })), undefined, 'nor does who has one, so that the pages of a browser share it')
  t.match(all.greeting(request({ cookie: 'classwaves_poll=short; xclasswaves_poll=aaaaaaaaaaaaaaaaaaaa' })), /^classwaves_poll=/, 'what is none does not count')
})

t.test('what the handshake had is shown always', async t => {
  const ways: Record<string, (all: PollOwners) => { opens: From, shows: From[], others: From[] }> = {
    'the cookie that it gave': all => ({ opens: {}, shows: [{ cookie: given(all) }], others: [{}, { cookie: kept(all.greeting(request())) }, { authorization: 'Bearer x-1' }] }),
    'a cookie from before': all => {
      const cookie = kept(all.greeting(request()))
      return { opens: { cookie }, shows: [{ cookie: `x=y; ${cookie}` }], others: [{}, { cookie: `${cookie}x` }] }
    },
    'a token of its user, also a new one': () => ({ opens: { authorization: 'Bearer x-1' }, shows: [{ authorization: 'Bearer x-1' }, { authorization: 'Bearer x-2' }], others: [{}, { authorization: 'Bearer y-1' }, { authorization: 'Bearer nonsense' }] }),
    'either of both': all => ({ opens: { authorization: 'Bearer x-1' }, shows: [{ cookie: given(all) }, { authorization: 'Bearer x-1', cookie: 'classwaves_poll=aaaaaaaaaaaaaaaaaaaa' }], others: [{}] })
  }
  /** Of the handshake that is opened next. */
  let handshake = request()
  const given = (all: PollOwners): string => kept(all.greeting(handshake))
  for (const [way, cast] of Object.entries(ways)) {
    const all = owners()
    handshake = request(way.startsWith('either') ? { authorization: 'Bearer x-1' } : {})
    const { opens, shows, others } = cast(all)
    all.opened('id', opens.cookie || opens.authorization !== handshake.headers.authorization ? request(opens) : handshake)
    for (const one of shows) t.equal(all.fault('id', request({ ...one, address: 'there' })), 'address', `${way}: elsewhere it is worth nothing`)
    for (const one of shows) t.equal(all.fault('id', request(one)), undefined, `${way}: ${JSON.stringify(one)}`)
    for (const other of others) t.equal(all.fault('id', request(other)), 'owner', `${way}, not ${JSON.stringify(other)}`)
    clock.ms += 10 * unclaimedMs
    for (const one of shows) t.equal(all.fault('id', request(one)), undefined, `${way}, for as long as it lives`)
    all.closed('id')
    t.equal(all.fault('id', request()), undefined, 'afterwards the engine answers')
  }
})

t.test('nobody becomes the owner of a connection by showing something of their own', async t => {
  const all = owners()
  const handshake = request()
  all.opened('id', handshake)
  const cookie = kept(all.greeting(handshake))
  t.equal(all.fault('id', request()), undefined, 'its owner shows nothing yet')
  t.equal(all.fault('id', request({ cookie: kept(all.greeting(request())) })), 'owner')
  all.fault('id', request({ authorization: 'Bearer y-1' }))
  t.equal(all.fault('id', request({ cookie })), undefined)
  t.equal(all.fault('id', request({ authorization: 'Bearer y-1' })), 'owner')
})

t.test('who shows nothing has time to go over to WebSocket, no more', async t => {
  const all = owners()
  all.opened('id', request())
  t.equal(all.fault('id', request()), undefined)
  clock.ms += unclaimedMs
  t.equal(all.fault('id', request()), undefined)
  clock.ms += 1
  t.equal(all.fault('id', request()), 'unclaimed')
  t.equal(all.fault('id', request({ authorization: 'Bearer x-1' })), 'unclaimed', 'nor does a token of anybody change that')
})
