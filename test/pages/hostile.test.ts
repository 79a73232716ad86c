import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import { build, token } from '../app.ts'
import { browser, faultsOf, holds } from '../browser.ts'

/** Markup and scripts in every field that a pupil can write: it ends as text. */

const seeds = [
  '<script>mark()</script>', '<img src=x onerror=mark()>', '<svg onload=mark()>', '<svg><script>mark()</script></svg>', '<iframe srcdoc="<script>parent.mark()</script>">',
  '<a href="javascript:mark()">x</a>', '<body onload=mark()>', '<input autofocus onfocus=mark()>', '<details open ontoggle=mark()>', '<video><source onerror=mark()>',
  '<math><mtext><style><img src onerror=mark()>', '<template><script>mark()</script></template>', '<style>*{display:none}</style>', '<form action=javascript:mark()><button>x',
  '<object data="data:text/html,<script>mark()</script>">', '<embed src=javascript:mark()>', '<link rel=stylesheet href=//x.example>', '<meta http-equiv=refresh content="0;//x.example">',
  '<base href=//x.example>', '<marquee onstart=mark()>', 'javascript:mark()', '$' + '{mark()}', '{{constructor.constructor("mark()")()}}', '&lt;script&gt;mark()&lt;/script&gt;',
  '&#60;img src=x onerror=mark()&#62;', '\u003cscript>mark()\u003c/script>', '<cw-card>', '<slot name=x>', '<!--<img src=x onerror=mark()>-->', '<![CDATA[<img src=x onerror=mark()>]]>'
]
const strings = seeds.flatMap(seed => [seed, `">${seed}`, `'></b></li>${seed}`, `{group}${seed.toUpperCase()}`])

t.test(`${strings.length} strings in names, reasons, talk and chat`, async t => {
  t.equal(strings.length, 120)
  t.ok(strings.every(text => text.length <= 100))
  await writeSdk()
  const { app, url, call } = await build(t, { pages: true })
  const chromium = await browser(t)
  const sub = 'ms-rivers'
  const plan = { topic: strings[0] as string, groups: [{ groupId: 'red', name: strings[1] as string }] }
  const { sessionId, code } = await app.sessions.create(plan, sub)
  await app.sessions.start(sessionId)

  const pages = await Promise.all([chromium.newPage(), chromium.newPage()])
  const [teacher, pupil] = pages
  const faults = pages.map(faultsOf)
  for (const page of pages) {
    page.setDefaultTimeout(20_000)
    await page.addInitScript('globalThis.marked = 0; globalThis.mark = () => { globalThis.marked++ }')
  }
  await teacher.goto(`${url}/teach#token=${token({ sub })}&session=${sessionId}`)
  await teacher.getByText('Connected', { exact: true }).waitFor()
  await pupil.goto(`${url}/join/${code}`)
  await pupil.locator('#name').fill(strings[2] as string)
  await pupil.keyboard.press('Enter')
  await pupil.getByText('Talk with your group').waitFor()
  t.equal(await teacher.locator('h1').innerText(), plan.topic)
  await pupil.getByText('Connected', { exact: true }).waitFor()

  // Talk and the names of those who speak, in both pages.
  await teacher.locator('cw-tile summary').click()
  const shown: string[] = []
  for (let from = 0; from < strings.length; from += 8) {
    const batch = strings.slice(from, from + 8)
    await app.sessions.transcribe(sessionId, batch.map(text => ({ groupId: 'red', text, speaker: text })))
    for (const page of pages) await page.locator('.talk li', { hasText: batch.at(-1) as string }).last().waitFor()
    await pause(60)
    shown.push(...(await teacher.locator('cw-tile .talk li').evaluateAll(items => items.map(one => one.textContent ?? ''))).slice(-batch.length))
  }
  t.same(shown, strings.map(text => `${text} ${text}`), 'the teacher reads what was said')
  t.same(await pupil.locator('.talk li').evaluateAll(items => items.map(one => one.textContent)), strings.slice(-50).map(text => `${text} ${text}`), 'the group too')

  // Names of pupils.
  for (const [i, displayName] of strings.entries()) await app.sessions.enrol(sessionId, { userId: `pupil-${i}`, displayName, groupId: 'red' })
  await pupil.reload()
  await pupil.locator('.members', { hasText: 'With ' }).waitFor()
  t.equal(await pupil.locator('.members').first().evaluate(one => one.textContent), `With ${strings.join(', ')}`)

  // What a group says of itself when it asks for help.
  const reasons: (string | null)[] = []
  for (const issueReason of strings) {
    await app.sessions.updateGroup(sessionId, 'red', { status: 'issue', isReady: false, issueReason })
    await holds(teacher, `document.querySelector('cw-card .issue')?.textContent === ${JSON.stringify(`Asks for help: ${issueReason}`)}`)
    reasons.push(await teacher.locator('cw-card .issue').evaluate(one => one.textContent))
  }
  t.equal(reasons.length, 120)

  // What pupils write to the class, change and attach, and under which name; also while it waits, and who types.
  const said = { sessionCode: code, role: 'student', reactions: {} }
  const classroom = app.classwaves.emit.classroom!.to({ sessionId })
  const timestamp = new Date().toISOString()
  for (const [i, text] of strings.entries()) {
    const [messageId, userId] = [`m${i}`, `writer-${i}`]
    await classroom.emit('presenceUpdated', { sessionCode: code, userId, status: 'active', displayName: text, role: 'student', timestamp })
    const attachment = { attachmentId: messageId, name: text, mimeType: 'image/svg+xml', size: 1 }
    await classroom.emit('messageReceived', { ...said, messageId, seq: i + 1, userId, displayName: text, message: `first ${text}`, timestamp, attachment })
    await classroom.emit('messageEdited', { sessionCode: code, messageId, message: text, editedAt: timestamp })
    await classroom.emit('messageHeld', { ...said, messageId: `h${i}`, seq: i + 1, userId, displayName: text, message: text, timestamp })
  }
  const own = 'textarea></textarea><img src=x onerror=mark()>'
  await pupil.locator('.chat .write input').fill(own)
  await pupil.keyboard.press('Enter')
  for (const page of pages) {
    await page.locator('cw-message .text', { hasText: own }).waitFor()
    const texts = async (selector: string): Promise<(string | null)[]> => await page.locator(selector).evaluateAll(items => items.map(one => one.textContent))
    t.same((await texts('cw-message .text')).filter(text => text !== own).sort(), [...strings].sort(), 'what was written')
    const authors = await texts('cw-message .by b')
    t.ok(strings.every(text => authors.includes(text)), 'by whom')
    t.equal((await texts('cw-message .text + div button')).filter(text => text?.startsWith('Save ')).length, 120, 'what is attached')
  }
  t.same(await teacher.locator('.held li p').evaluateAll(items => items.map(one => one.textContent)), strings.map(text => `${text} ${text}`), 'what waits')
  await teacher.locator('cw-people summary').click()
  const here = await teacher.locator('cw-people li').evaluateAll(items => items.map(one => one.textContent))
  t.ok(strings.every(text => here.includes(text)), 'who is here')
  await classroom.emit('typingUpdated', { sessionCode: code, userId: 'writer-4', typing: true, expiresInMs: 20_000 })
  await holds(teacher, `document.querySelector('.typing').textContent === ${JSON.stringify(`${strings[4]} is writing …`)}`)

  for (const page of pages) {
    t.equal(await page.evaluate('globalThis.marked'), 0, 'nothing ran')
    t.equal(await page.locator('main').locator('script, img, iframe, a, object, embed, video, style, link, meta, base, template, marquee, math, slot').count(), 0, 'nothing became markup')
  }
  t.same(faults, [[], []], 'the policy had nothing to stop')
  t.equal((await call('GET', '//health')).status, 200)
})
