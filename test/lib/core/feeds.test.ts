import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { TeacherPrompt } from '../../../index.ts'
import { build, token, type App } from '../../app.ts'
import { startRedis } from '../../redis.ts'
import { startProxy } from '../../faults/proxy.ts'

/**
 * Two servers of which one loses its Redis for a while: what comes into being meanwhile is told to those who follow all
 * of their sessions there. Fails without the comparison of feeds: nothing says that there is a session more.
 */

const mine = token({ sub: 'teacher-1' })
const worker = token({ role: 'worker' })

async function alert ({ call }: App, sessionId: string, promptId: string): Promise<void> {
  const now = new Date().toISOString()
  const payload: TeacherPrompt = { promptId, sessionId, groupId: 'red', category: 'energy', priority: 'high', message: 'Ask.', why: [], suggestedTiming: 'immediate', generatedAt: now, expiresAt: now, templateKey: 'k' }
  const { status } = await call('POST', `/sessions/${sessionId}/emit`, { namespace: '/guidance', event: 'teacher:alert', payload }, worker)
  if (status !== 202) throw new Error(`refused: ${status}`)
}

t.test('a session that is made while a process has lost Redis is told to the feeds there', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const cut = await build(t, { redis: `redis://127.0.0.1:${proxy.port}` })
  const other = await build(t, { redis: redis.url })
  const { sessionId: known } = await other.session(mine)
  const heard = await cut.connect('/guidance', mine, { reconnection: true })
  const { positions } = await heard.ok('guidance:subscribe', {})
  const theirs = token({ sub: 'teacher-2' })
  const fresh = await cut.connect('/guidance', theirs, { reconnection: true, forceNew: true })
  t.same((await fresh.ok('guidance:subscribe', {})).positions, {}, 'one who has no session yet')

  async function lose (meanwhile: () => Promise<unknown>): Promise<void> {
    proxy.refuse()
    while (cut.app.classwaves.health().redis !== 'away') await pause(5)
    await meanwhile()
    proxy.heal()
    while (cut.app.classwaves.health().redis !== 'ready') await pause(5)
  }

  // One that is heard from its beginning, one that says nothing, one that was known: of these nothing is missed.
  const { sessionId: seen } = await other.session(mine)
  await alert(other, seen, 'seen')
  await heard.next('teacher:alert')
  await lose(async () => {
    await other.session(mine)
    await alert(other, known, 'while-away')
  })
  t.equal((await heard.next('teacher:alert')).promptId, 'while-away', 'what was known is read from the journal')
  await pause(300)
  t.ok(heard.socket.connected, 'who has missed nothing stays')
  t.equal(heard.gone, undefined)

  let [born, first] = ['', '']
  await lose(async () => {
    born = (await other.session(mine)).sessionId
    await alert(other, born, 'unheard')
    // Somebody else's is no business of this feed.
    first = (await other.session(theirs)).sessionId
    await alert(other, first, 'of-another')
  })
  t.equal(await heard.end(), 'transport close', 'a stock client comes back from that by itself')
  while (!heard.socket.connected) await pause(5)
  const back = await heard.ok('guidance:subscribe', { since: positions })
  t.ok(back.lost.includes(`guidance:session:${born}`))
  t.match(back, { recovered: false, snapshot: { prompts: Array } })
  await alert(other, born, 'heard')
  while ((await heard.next('teacher:alert')).promptId !== 'heard');
  t.notOk(heard.received('teacher:alert').some(({ promptId }) => promptId === 'of-another'))

  t.equal(await fresh.end(), 'transport close')
  while (!fresh.socket.connected) await pause(5)
  t.match(await fresh.ok('guidance:subscribe', { since: {} }), { lost: [`guidance:session:${first}`], recovered: false, snapshot: {} }, 'with no place to say it is told all the same')
})
