import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import type { AudioChunk } from '../../index.ts'
import { build, token } from '../app.ts'
import { barriers, browser, faultsOf, holds, phone } from '../browser.ts'

/** The pupil's microphone in a real browser, which hears a beep instead of a pupil. */

const webm = Buffer.from('1a45dfa3', 'hex')

t.test('who speaks is written down, by the transcriber of the host', async t => {
  await writeSdk()
  const heard: AudioChunk[] = []
  const transcriber = (chunk: AudioChunk) => {
    heard.push(chunk)
    return [{ text: `What was said in piece ${heard.length}.`, speaker: 'Mira' }]
  }
  const { app, url } = await build(t, { pages: true, sessions: { transcriber } })
  const { sessionId, code } = await app.sessions.create({ topic: 'Why do rivers bend?', groups: [{ groupId: 'red', name: 'Red' }] }, 'ms-rivers')
  await app.sessions.start(sessionId)
  const chromium = await browser(t, ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'])
  const [pupil, teacher] = [await chromium.newPage({ viewport: phone, colorScheme: 'dark' }), await chromium.newPage()]
  const faults = [faultsOf(pupil), faultsOf(teacher)]
  for (const page of [pupil, teacher]) page.setDefaultTimeout(30_000)
  await pupil.addInitScript(`
    globalThis.streams = []
    const { mediaDevices } = navigator
    const ask = mediaDevices.getUserMedia.bind(mediaDevices)
    mediaDevices.getUserMedia = async wanted => { const stream = await ask(wanted); streams.push(stream); return stream }
  `)
  const isOn = '(streams.at(-1)?.getTracks() ?? []).some(track => track.readyState === "live")'
  await teacher.goto(`${url}/teach#token=${token({ sub: 'ms-rivers' })}&session=${sessionId}`)
  await teacher.getByText('Connected', { exact: true }).waitFor()
  await teacher.locator('cw-tile summary').click()
  await pupil.goto(`${url}/join/${code}`)
  await pupil.locator('#name').fill('Mira')
  await pupil.keyboard.press('Enter')

  // By keyboard; the second piece shows that each is a recording of its own.
  await pupil.getByRole('button', { name: 'Turn the microphone on' }).focus()
  await pupil.keyboard.press('Enter')
  await pupil.getByText('The microphone is on. What you say is written down.').waitFor()
  t.equal(await pupil.locator('.mic button').getAttribute('aria-pressed'), 'true')
  t.same(await barriers(pupil), [], 'axe-core finds nothing while it is on')
  await pupil.getByText('What was said in piece 1.').waitFor()
  await pupil.getByRole('button', { name: 'Turn the microphone off' }).click()
  for (const page of [pupil, teacher]) await page.locator('.talk li', { hasText: 'Mira What was said in piece 2.' }).waitFor()
  await holds(pupil, `!(${isOn})`)
  t.ok(heard.every(({ data, mimeType, groupId, sessionId: id }) => webm.equals(data.subarray(0, 4)) && mimeType.startsWith('audio/webm') && groupId === 'red' && id === sessionId))
  const said = await app.sessions.transcripts(sessionId, { groupId: 'red', limit: 10 })
  t.same(said.slices.map(one => one.text), heard.map((_, i) => `What was said in piece ${i + 1}.`))

  // A microphone that cannot be seen is off.
  await pupil.getByRole('button', { name: 'Turn the microphone on' }).click()
  await pupil.getByText('The microphone is on.').waitFor()
  t.ok(await pupil.evaluate(isOn))
  await app.sessions.pause(sessionId)
  await pupil.getByText('Stop for a moment and listen').waitFor()
  await holds(pupil, `!(${isOn})`)
  t.notOk(await pupil.locator('.mic').isVisible())
  await app.sessions.resume(sessionId)
  await pupil.getByRole('button', { name: 'Turn the microphone on' }).waitFor()
  t.notOk(await pupil.evaluate(isOn), 'nor is it on again by itself')

  // Whoever does not allow it is told what to do.
  await pupil.evaluate('navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError") }')
  await pupil.getByRole('button', { name: 'Turn the microphone on' }).click()
  await pupil.getByText('The microphone could not be used. Allow it in your browser, then try again.').waitFor()
  t.same(await barriers(pupil), [])
  t.same(faults, [[], []])
})

t.test('without a transcriber there is no microphone', async t => {
  await writeSdk()
  const { app, url } = await build(t, { pages: true, classroom: false })
  const { code } = await app.sessions.create({ topic: 'Why do rivers bend?', groups: [{ groupId: 'red', name: 'Red' }] }, 'ms-rivers')
  const page = await (await browser(t)).newPage()
  await page.goto(`${url}/join/${code}`)
  await page.locator('#name').fill('Mira')
  await page.keyboard.press('Enter')
  await page.getByText('Connected', { exact: true }).waitFor()
  t.equal(await page.locator('.mic').count(), 0)
  t.equal(await page.locator('.chat').count(), 0, 'nor a chat without the classroom')
})
