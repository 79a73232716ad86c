import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { PollOwners, unclaimedMs } from '../../../lib/core/poll-owner.ts'

interface From { address?: string, cookie?: string, authorization?: string, tls?: boolean, proto?: string }

function request ({ address = 'here', cookie, authorization, tls = false, proto }: From = {}): IncomingMessage {
  const headers = { ...(cookie && { cookie }), ...(authorization && { authorization }), ...(proto && { 'x-forwarded-proto': proto }) }
  return { headers, socket: { remoteAddress: address, ...(tls && { encrypted: true }) } } as unknown as IncomingMessage
}

const clock = { ms: 0 }
const owners = (): PollOwners => new PollOwners({ addressOf: ({ socket }) => String(socket.remoteAddress), path: '/socket.io', now: () => clock.ms })
/** What a client sends back of a greeting. */
const kept = (greeting: string | undefined): string => String(greeting).split(';')[0] as string

t.test('a handshake that shows nothing gets a cookie of its own', async t => {
  const all = owners()
  const [one, other] = [all.greeting(request()), all.greeting(request())]
  t.match(one, /^classwaves_poll=[\w-]{20}; Path=\/socket\.io; HttpOnly; SameSite=Lax$/)
  t.not(one, other)
  for (const secure of [{ tls: true }, { proto: 'https' }]) t.match(all.greeting(request(secure)), /; HttpOnly; SameSite=None; Secure; Partitioned$/)
  t.equal(all.greeting(request({ cookie: `a=b; ${kept(one)}` })), undefined, 'nor does who has one, so that the pages of a browser share it')
  t.equal(all.greeting(request({ authorization: 'Bearer x' })), undefined)
  t.match(all.greeting(request({ cookie: 'classwaves_poll=short; xclasswaves_poll=aaaaaaaaaaaaaaaaaaaa' })), /^classwaves_poll=/, 'what is none does not count')
})

t.test('what is shown first is shown always', async t => {
  const cookies = owners()
  const cookie = kept(cookies.greeting(request()))
  const ways: Record<string, { opens: From, shows: From, others: From[] }> = {
    'a cookie that the handshake gave': { opens: {}, shows: { cookie }, others: [{}, { cookie: kept(cookies.greeting(request())) }, { authorization: 'Bearer x' }] },
    'a cookie from before': { opens: { cookie }, shows: { cookie: `x=y; ${cookie}` }, others: [{}, { cookie: `${cookie}x` }] },
    'a header': { opens: { authorization: 'Bearer x' }, shows: { authorization: 'Bearer x' }, others: [{}, { authorization: 'Bearer y' }, { cookie }] }
  }
  for (const [way, { opens, shows, others }] of Object.entries(ways)) {
    const all = owners()
    all.opened('id', request(opens))
    t.equal(all.fault('id', request({ ...shows, address: 'there' })), 'address', `${way}: elsewhere it is worth nothing`)
    t.equal(all.fault('id', request(shows)), undefined, way)
    for (const other of others) t.equal(all.fault('id', request(other)), 'owner', `${way}, not ${JSON.stringify(other)}`)
    clock.ms += 10 * unclaimedMs
    t.equal(all.fault('id', request(shows)), undefined, `${way}, for as long as it lives`)
    all.closed('id')
    t.equal(all.fault('id', request()), undefined, 'afterwards the engine answers')
  }
})

t.test('who shows nothing has time to go over to WebSocket, no more', async t => {
  const all = owners()
  all.opened('id', request())
  t.equal(all.fault('id', request()), undefined)
  clock.ms += unclaimedMs
  t.equal(all.fault('id', request()), undefined)
  clock.ms += 1
  t.equal(all.fault('id', request()), 'unclaimed')
  t.equal(all.fault('id', request({ authorization: 'Bearer x' })), 'unclaimed', 'nor may anybody claim it then')
})
