import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import { token } from '../app.ts'
import { balance } from '../balance.ts'
import { barriers, browser, desktop, faultsOf, holds, phone } from '../browser.ts'
import { fork } from '../fork.ts'
import { startRedis } from '../redis.ts'

/** Where screenshots go when somebody wants to look at them. */
const shots = process.env.SCREENSHOTS

t.test('chat and presence, between a teacher and two pupils on two servers, in a real browser', async t => {
  await writeSdk()
  if (shots) mkdirSync(shots, { recursive: true })
  const [redis, chromium, front] = await Promise.all([startRedis(t), browser(t), balance(t)])
  const options = { redis: redis.url, pages: true, drainMs: 100 }
  const [a, b] = await Promise.all([fork(t, options), fork(t, options)])
  front.to(b.url)
  const teaching = token({ sub: 'ms-rivers', name: 'Ms Rivers' })
  const { sessionId, code } = await a.session(teaching)

  const pages = await Promise.all([chromium.newPage({ viewport: desktop }), chromium.newPage({ viewport: phone }), chromium.newPage({ viewport: phone, colorScheme: 'dark' })])
  const [teacher, mira, jonas] = pages
  const faults = pages.map(faultsOf)
  for (const page of pages) page.setDefaultTimeout(20_000)
  /** What axe-core finds, light on a phone and dark on a desk. */
  const clear = async (page: Page, name: string): Promise<void> => {
    const size = page.viewportSize() ?? desktop
    for (const [colorScheme, viewport] of [['light', phone], ['dark', desktop]] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize(viewport)
      t.same(await barriers(page), [], `axe-core finds nothing: ${name}, ${colorScheme}`)
      t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'and nothing sticks out')
      if (shots) await page.screenshot({ path: `${shots}/chat-${name}-${colorScheme}.png`, fullPage: true })
    }
    await page.setViewportSize(size)
  }
  const write = async (page: Page, text: string): Promise<void> => {
    await page.getByRole('textbox', { name: 'Write to the class' }).focus()
    await page.keyboard.type(text)
    await page.keyboard.press('Enter')
  }
  const sees = async (page: Page, text: string): Promise<void> => await page.locator('cw-message .text', { hasText: text }).waitFor()
  const press = async (page: Page, name: string): Promise<void> => {
    await page.getByRole('button', { name, exact: true }).first().focus()
    await page.keyboard.press('Enter')
  }
  const presence = async (page: Page, words: string): Promise<void> => await page.locator('cw-people summary', { hasText: words }).waitFor()

  await teacher.goto(`${a.url}/teach#token=${teaching}&session=${sessionId}`)
  await presence(teacher, '1 is here')
  for (const [page, name] of [[mira, 'Mira'], [jonas, 'Jonas']] as const) {
    await page.goto(`${front.url}/join/${code}`)
    await page.locator('#name').fill(name)
    await page.keyboard.press('Enter')
    await page.getByText('Everybody in your class can read what you write.').waitFor()
  }

  // Who is here.
  await presence(teacher, '3 are here')
  await teacher.locator('cw-people summary').focus()
  await teacher.keyboard.press('Enter')
  t.same(await teacher.locator('cw-people li').allInnerTexts(), ['Ms Rivers you', 'Jonas', 'Mira'])
  await presence(mira, '3 are here')
  const hide = async (page: Page, hidden: boolean): Promise<void> => {
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`)
  }
  await hide(jonas, true)
  await teacher.locator('cw-people [data-status=idle]', { hasText: 'Jonas quiet for a while' }).waitFor()
  await hide(jonas, false)
  await teacher.locator('cw-people [data-status=active]', { hasText: 'Jonas' }).waitFor()

  // To write, by keyboard alone.
  await mira.getByRole('textbox', { name: 'Write to the class' }).focus()
  await mira.keyboard.type('Why is the outer bank')
  await teacher.getByText('Mira is writing').waitFor()
  await mira.keyboard.type(' steeper?')
  await mira.keyboard.press('Enter')
  for (const page of pages) await sees(page, 'Why is the outer bank steeper?')
  t.equal(await mira.getByRole('textbox', { name: 'Write to the class' }).inputValue(), '')
  await press(mira, 'What to do with the message of Mira')
  await press(mira, 'Change')
  await mira.keyboard.press('End')
  await mira.keyboard.type(' And higher?')
  await mira.keyboard.press('Enter')
  await sees(jonas, 'Why is the outer bank steeper? And higher?')
  await jonas.getByText('changed', { exact: true }).waitFor()
  await press(jonas, 'What to do with the message of Mira')
  t.equal(await jonas.getByRole('button', { name: 'Delete' }).count(), 0, 'of others there is nothing to delete')
  await press(jonas, 'I agree')
  await teacher.getByRole('button', { name: 'I agree: 1' }).waitFor()
  await press(jonas, 'I agree: 1')
  await teacher.getByRole('button', { name: 'I agree: 1' }).waitFor({ state: 'detached' })
  await write(teacher, 'Look where the water is fast.')
  await sees(mira, 'Look where the water is fast.')
  t.match(await mira.locator('cw-message', { hasText: 'Look where' }).innerText(), /^Ms Rivers\s+Teacher/)
  await press(teacher, 'What to do with the message of Ms Rivers')
  await clear(teacher, 'teacher-open')
  await press(mira, 'What to do with the message of Mira')
  await clear(mira, 'pupil-open')

  // Moderated: what pupils write waits.
  await teacher.getByLabel('Who may write').selectOption('moderated')
  await mira.getByText('What you write waits for your teacher.').waitFor()
  await write(jonas, 'Is it the fish?')
  await jonas.getByText('Waits for your teacher.', { exact: true }).waitFor()
  await write(mira, 'It is the current.')
  await teacher.getByText('2 waiting for you').waitFor()
  t.same(await teacher.locator('.held li p').allInnerTexts(), ['Jonas Is it the fish?', 'Mira It is the current.'])
  t.equal(await mira.getByText('Is it the fish?').count(), 0, 'nobody else sees it')
  t.equal(await mira.getByRole('button', { name: 'Change' }).count(), 0, 'and what was said cannot become another thing')
  await clear(teacher, 'teacher-moderated')
  await clear(jonas, 'pupil-moderated')
  await press(teacher, 'Do not show')
  await jonas.getByText('Your teacher did not show this to the class.').waitFor()
  await teacher.getByText('1 waiting for you').waitFor()
  await press(teacher, 'Show to all')
  for (const page of pages) await sees(page, 'It is the current.')
  await teacher.locator('.held').waitFor({ state: 'hidden' })
  t.equal(await mira.getByText('It is the current.').count(), 1)

  // Only the teacher; nobody; everybody again.
  await teacher.getByLabel('Who may write').selectOption('teacher-only')
  await jonas.getByText('Only your teacher can write now.').waitFor()
  await jonas.locator('.chat .write').waitFor({ state: 'hidden' })
  await write(teacher, 'Listen.')
  await sees(jonas, 'Listen.')
  await teacher.getByLabel('Who may write').selectOption('off')
  for (const page of pages) await page.getByText('The chat is off now.').waitFor()
  await clear(jonas, 'pupil-off')
  await teacher.getByLabel('Who may write').selectOption('open')
  await write(jonas, 'This is silly.')
  await sees(teacher, 'This is silly.')
  await press(teacher, 'What to do with the message of Ms Rivers') // it is closed again
  await press(teacher, 'What to do with the message of Jonas')
  await press(teacher, 'Delete')
  for (const page of pages) await sees(page, 'This message was deleted.')
  for (const page of pages) t.equal(await page.getByText('This is silly.').count(), 0, 'its place stays, what it said is gone')

  // What others attach is saved, not shown.
  const ben = await a.connect('/', token({ sub: 'ben', role: 'student', name: 'Ben' }))
  await ben.raw('joinSession', code)
  await ben.raw('sendMessage', { sessionCode: code, message: '', attachment: { name: 'river.png', mimeType: 'image/png', data: Buffer.from('not a picture') } })
  const [download] = await Promise.all([mira.waitForEvent('download'), mira.getByRole('button', { name: 'Save river.png (1 KB)' }).click()])
  t.equal(download.suggestedFilename(), 'river.png')
  await ben.raw('leaveSession', code)

  // On a phone the chat does not take the place of the groups: it is closed, and counts.
  const second = await chromium.newPage({ viewport: phone })
  second.setDefaultTimeout(20_000)
  await second.goto(`${a.url}/teach#token=${teaching}&session=${sessionId}`)
  await second.getByText('Connected', { exact: true }).waitFor()
  await holds(second, 'document.querySelectorAll("cw-message").length >= 5')
  t.notOk(await second.locator('.chat .box').isVisible())
  await write(mira, 'Is it the sand?')
  await second.getByText('1 new').waitFor()
  t.same(await barriers(second), [])
  await second.locator('.chat > summary').focus()
  await second.keyboard.press('Enter')
  await sees(second, 'Is it the sand?')
  await second.getByText('1 new').waitFor({ state: 'detached' }).catch(async () => t.equal(await second.locator('.fresh').innerText(), ''))
  t.ok((await second.locator('.lifted, .nobody').first().boundingBox())!.y < (await second.locator('.chat').boundingBox())!.y, 'below those who need the teacher')
  await second.close()

  // The server of the pupils dies: they are gone, and come back to all that was written.
  front.to()
  await b.kill()
  await mira.getByText('Reconnecting').waitFor()
  await write(teacher, 'This was written while you were away.')
  await presence(teacher, '1 is here')
  await write(mira, 'And this while I was.')
  await mira.getByText('Sending …').waitFor()
  front.to(a.url)
  await presence(teacher, '3 are here')
  for (const page of pages) {
    await sees(page, 'And this while I was.')
    await sees(page, 'This was written while you were away.')
    t.equal(await page.getByText('while you were away').count(), 1, 'once')
    t.equal(await page.getByText('And this while I was.').count(), 1, 'once')
  }

  await teacher.getByRole('button', { name: 'End', exact: true }).click()
  await teacher.getByRole('button', { name: 'End the class' }).click()
  for (const page of pages) {
    await page.getByText('Nothing more can be written.').waitFor()
    t.notOk(await page.locator('.chat .write').isVisible())
    await sees(page, 'Look where the water is fast.')
  }
  await clear(mira, 'pupil-ended')
  t.same(faults, [[], [], []])
})
