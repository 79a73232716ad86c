import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import type { Analyzer } from '../../index.ts'
import { build, token } from '../app.ts'
import { barriers, browser, desktop, faultsOf, phone } from '../browser.ts'
import { redFallsSilent } from '../talk.ts'

t.test('a shift in tier2 comes up as a banner, until it is closed', async t => {
  await writeSdk()
  let windows = 0
  const tier2: Analyzer['tier2'] = () => {
    const score = windows++ < 4 ? 0.2 : 0.9
    return {
      argumentationQuality: { score, claimEvidence: score, logicalFlow: score, counterarguments: score, synthesis: score },
      collaborationPatterns: { turnTaking: 0.5, buildingOnIdeas: 0.5, conflictResolution: 0.5, inclusivity: 0.5 },
      learningSignals: { conceptualGrowth: 0.5, questionQuality: 0.5, metacognition: 0.5, knowledgeApplication: 0.5 },
      groupEmotionalArc: { trajectory: 'stable', averageEngagement: 0.5 },
      recommendations: [],
      confidence: 0.9
    }
  }
  const { app, url } = await build(t, { pages: true, guidance: { tier2WindowMs: 30_000, analyzer: { tier2 } } })
  const { sessionId } = await app.sessions.create({ topic: 'How do plants eat?', groups: [{ groupId: 'blue', name: '<b>Blue</b>' }] }, 'ms-rivers')
  await app.sessions.start(sessionId)
  const page = await (await browser(t)).newPage({ viewport: phone })
  page.setDefaultTimeout(30_000)
  const faults = faultsOf(page)
  await page.goto(`${url}/teach#token=${token({ sub: 'ms-rivers' })}&session=${sessionId}`)
  await page.getByText('Connected', { exact: true }).waitFor()
  // Window after window, as a lesson goes: an analyzer of the host is not waited for.
  const talk = redFallsSilent().filter(one => one.groupId === 'blue')
  for (let from = 0; from < talk.length; from += 5) {
    await app.sessions.transcribe(sessionId, talk.slice(from, from + 5))
    await pause(200)
  }

  await page.getByText('<b>Blue</b>: the quality of arguments went up.').waitFor()
  t.equal(await page.locator('.shifts').getAttribute('role'), 'status', 'it is read out')
  for (const [colorScheme, viewport] of [['light', phone], ['dark', desktop]] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    t.same(await barriers(page), [], `axe-core finds nothing, ${colorScheme}`)
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/shift-${colorScheme}.png` })
  }
  await page.getByRole('button', { name: 'Close' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('.shift').waitFor({ state: 'detached' })
  t.same(faults, [])
})
