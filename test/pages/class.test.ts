import { mkdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import type { Session } from '../../lib/contract.ts'
import { token } from '../app.ts'
import { balance } from '../balance.ts'
import { barriers, browser, desktop, faultsOf, holds, phone } from '../browser.ts'
import { fork } from '../fork.ts'
import { startRedis } from '../redis.ts'

const timeout = 20_000
/** Where screenshots go when somebody wants to look at them. */
const shots = process.env.SCREENSHOTS

interface Script { utterances: { t: number, te: number, groupId: string, speakerId: string, text: string }[] }
const { utterances } = JSON.parse(readFileSync(new URL('../../examples/class/garden.json', import.meta.url), 'utf8')) as Script

t.test('a class from its opening to its end, in a real browser', async t => {
  await writeSdk()
  if (shots) mkdirSync(shots, { recursive: true })
  const [redis, chromium] = await Promise.all([startRedis(t), browser(t)])
  const front = await balance(t)
  const options = { redis: redis.url, pages: true, drainMs: 100 }
  const [a, b] = await Promise.all([fork(t, options), fork(t, options)])
  front.to(a.url)
  const teacher = token({ sub: 'ms-rivers' })

  const page = await chromium.newPage({ viewport: desktop, colorScheme: 'light' })
  page.setDefaultTimeout(timeout)
  const pupil = await chromium.newPage({ viewport: phone, colorScheme: 'dark' })
  pupil.setDefaultTimeout(timeout)
  const faults = [faultsOf(page), faultsOf(pupil)]
  const shoot = async (name: string): Promise<void> => { if (shots) await page.screenshot({ path: `${shots}/${name}.png` }) }
  const texts = async (selector: string): Promise<string[]> => await page.locator(selector).allInnerTexts()

  // Open, by keyboard alone.
  await page.goto(`${front.url}/teach#token=${teacher}`)
  await page.locator('#topic').focus()
  await page.keyboard.type('Rain for the school garden')
  await page.keyboard.press('Tab')
  await page.keyboard.type('Maple\nBirch\nCedar\nWillow')
  t.same(await barriers(page), [], 'axe-core finds nothing in the opening')
  t.notOk(page.url().includes(teacher), 'the token has left the address')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const code = await page.locator('.code').innerText()
  t.match(code, /^[A-Z0-9]{6}$/)
  await page.locator('.qr').waitFor()
  await page.getByText('Connected', { exact: true }).waitFor()
  t.same(await barriers(page), [], 'axe-core finds nothing before the start')
  await shoot('created')

  // A pupil joins by code and name.
  await pupil.goto(`${front.url}/join/${code}`)
  t.equal(await pupil.locator('#code').inputValue(), code)
  t.same(await barriers(pupil), [], 'axe-core finds nothing in the form')
  await pupil.locator('#name').fill('Mira')
  await pupil.keyboard.press('Enter')
  await pupil.getByText('Wait for your teacher to start').waitFor()
  await pupil.getByText('Maple').waitFor()
  await page.getByText('1 pupil', { exact: true }).first().waitFor()
  await pupil.getByRole('button', { name: 'We are ready' }).click()
  await pupil.getByText('Your group is ready.').waitFor()
  await page.locator('cw-tile', { hasText: 'Ready' }).waitFor()

  // Start; talk comes in; heat rises; a prompt is used.
  await page.getByRole('button', { name: 'Start' }).click()
  await pupil.getByText('Talk with your group').waitFor()
  const { sessions } = (await a.call<{ sessions: Session[] }>('GET', '/sessions', undefined, teacher)).body
  const { sessionId, groups } = sessions[0] as Session
  const groupId = (name: string): string => (groups.find(one => one.name.toLowerCase() === name) as Session['groups'][number]).groupId
  const until = 240
  const zero = Date.now() - until * 1000
  const at = (seconds: number): string => new Date(zero + seconds * 1000).toISOString()
  const slices = utterances.filter(one => one.te < until).map(one => ({ groupId: groupId(one.groupId), speaker: one.speakerId, text: one.text, startedAt: at(one.t), endedAt: at(one.te) }))
  for (let from = 0; from < slices.length; from += 5) {
    t.equal((await a.call('POST', `/sessions/${sessionId}/transcripts`, { slices: slices.slice(from, from + 5) }, teacher)).status, 202)
  }
  await page.locator('cw-card[data-heat="Focus Now"]').first().waitFor()
  await page.locator('cw-card .prompt').first().waitFor()
  const lifted = await texts('cw-card h3')
  t.ok(lifted.length >= 1 && lifted.length <= 4, lifted.join(', '))
  t.ok(lifted.includes('Cedar'), 'the confused group is lifted')
  t.notOk(lifted.includes('Maple'), 'the group that gets on is not')
  t.match((await texts('cw-card .why'))[0], /drifted|chat|confusion|drying up|voice/)
  t.equal(await page.locator('cw-card .spark').first().getAttribute('role'), 'img')
  await pupil.getByText(slices.filter(one => one.groupId === groupId('maple')).at(-1)?.text as string).waitFor()
  const [first] = await page.locator('cw-card summary').all()
  await first?.click()
  await page.locator('cw-card .talk li').nth(3).waitFor() // the last lines of talk, on demand
  t.same(await barriers(page), [], 'axe-core finds nothing while groups need somebody')
  await page.emulateMedia({ colorScheme: 'dark' })
  t.same(await barriers(page), [], 'nor in the dark')
  await shoot('focus-dark')
  await page.setViewportSize(phone)
  t.same(await barriers(page), [], 'nor on a phone')
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing sticks out on a phone')
  await shoot('focus-phone')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(desktop)
  await shoot('focus')
  t.same(await barriers(pupil), [], 'nor on the pupil\'s page')
  if (shots) await pupil.screenshot({ path: `${shots}/pupil.png` })

  const card = page.locator('cw-card', { has: page.locator('.prompt') }).first()
  const promptId = await card.locator('.prompt').getAttribute('data-prompt')
  await card.getByRole('button', { name: 'Seen' }).click()
  await page.getByText('Marked as seen.').waitFor({ state: 'attached' })
  await card.getByRole('button', { name: 'I said it' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('Noted: you used the prompt.').waitFor({ state: 'attached' })
  const { prompts } = (await a.call<{ prompts: { promptId: string }[] }>('GET', `/sessions/${sessionId}/guidance`, undefined, teacher)).body
  t.notOk(prompts.some(one => one.promptId === promptId), 'the server knows that it was used')

  // The server is killed; what is said meanwhile is filled in.
  const words = 'This was said while the page was away'
  front.to()
  await a.kill()
  await page.getByText('Reconnecting').waitFor()
  const missed = await b.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ groupId: groupId('maple'), text: words, speaker: 'Jonas' }] }, teacher)
  t.equal(missed.status, 202)
  front.to(b.url)
  await page.getByText('Connected', { exact: true }).waitFor()
  // Lifted or not: that is the guidance's business here.
  await holds(page, `[...document.querySelectorAll('cw-tile, cw-card')].some(one => {
    one.querySelector('details').open = true
    return one.textContent.includes('Maple') && one.textContent.includes('${words}')
  })`)
  await page.getByText('What you missed has been filled in.').waitFor({ state: 'attached' })
  await pupil.getByText(words).waitFor()
  t.equal(await pupil.getByText(words).count(), 1)

  // The end.
  await page.getByRole('button', { name: 'End', exact: true }).click()
  t.same(await barriers(page), [], 'axe-core finds nothing in the question')
  await page.getByRole('button', { name: 'End the class' }).click()
  await page.getByRole('heading', { name: 'How it went' }).waitFor()
  t.equal(await page.locator('tbody tr').count(), 4)
  await pupil.getByText('The class is over').waitFor()
  t.same(await barriers(page), [], 'axe-core finds nothing at the end')
  await shoot('ended')
  t.same(faults, [[], []])
})
