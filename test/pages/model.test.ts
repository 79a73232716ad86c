import t from 'tap'

/** What the teacher's page makes of what it hears, without a page. */

interface Group { groupId: string, heat: string | null, series: { at: number, score: number }[], shifts: unknown[] }
interface Model { groups: Map<string, Group>, shifts: { metrics: { groupId: string } }[] }
interface Module {
  createModel (): Model
  takeSession (model: Model, session: object): void
  takeScore (model: Model, groupId: string, score: number, heat: string, why: object[], timestamp: string): void
  takePrompts (model: Model, prompts: object[]): void
  takeShift (model: Model, shift: object): void
  picture (model: Model, now?: number): { lifted: Group[], others: Group[] }
  reasons (group: object): { signal: string }[]
  trend (group: object): string
}
const page = await import(new URL('../../pages/teacher/model.js', import.meta.url).href) as Module

const zero = Date.parse('2026-01-01T10:00:00Z')
const at = (seconds: number): string => new Date(zero + seconds * 1000).toISOString()
const heatOf = (score: number): string => score >= 70 ? 'Focus Now' : score >= 40 ? 'Watch Next' : 'Stable'

function classOf (...scores: number[]): Model {
  const model = page.createModel()
  const groups = scores.map((_, i) => ({ groupId: `g${i}`, name: `Group ${i}`, status: 'active', isReady: true, issueReason: null, memberIds: [] }))
  page.takeSession(model, { status: 'active', groups, participants: [] })
  for (const [i, score] of scores.entries()) page.takeScore(model, `g${i}`, score, heatOf(score), [], at(0))
  return model
}
const ids = (groups: Group[]): string[] => groups.map(one => one.groupId)

t.test('at most four groups are lifted, those in most need first; the others keep their places', async t => {
  const model = classOf(10, 72, 95, 45, 60, 88, 41)
  const { lifted, others } = page.picture(model, zero)
  t.same(ids(lifted), ['g2', 'g5', 'g1', 'g4'])
  t.same(ids(others), ['g0', 'g3', 'g6'])
  page.takePrompts(model, [{ promptId: 'p', groupId: 'g1', priority: 'high', expiresAt: at(60) }])
  t.same(ids(page.picture(model, zero).lifted), ['g1', 'g2', 'g5', 'g4'], 'of those in focus first the one for whom there is something to say')
  t.same(ids(page.picture(model, zero + 61_000).lifted), ['g2', 'g5', 'g1', 'g4'], 'until the prompt has run out')
  t.same(page.picture(classOf(1, 2, 3), zero).lifted, [], 'nobody, when nobody needs the teacher')
})

t.test('a spark line has the last ten minutes; what comes late changes nothing', async t => {
  const model = classOf(0)
  for (let minute = 1; minute <= 15; minute++) page.takeScore(model, 'g0', minute * 5, heatOf(minute * 5), [], at(minute * 60))
  page.takeScore(model, 'g0', 1, 'Stable', [], at(14 * 60))
  const [group] = model.groups.values()
  t.same(group?.series.map(one => one.score), [30, 35, 40, 45, 50, 55, 60, 65, 70, 75])
  t.equal(group?.heat, 'Focus Now')
  t.equal(page.trend({ series: [{ at: 0, score: 20 }, { at: 90_000, score: 60 }] }), 'up')
  t.equal(page.trend({ series: [{ at: 0, score: 60 }, { at: 90_000, score: 20 }] }), 'down')
  t.equal(page.trend({ series: [{ at: 0, score: 60 }, { at: 90_000, score: 64 }] }), 'flat')
})

t.test('reasons are the strongest drivers; of shifts the newest two stand', async t => {
  const why = [['social', 5], ['confusion', 40], ['stall', 1], ['dominance', 12], ['offreal', 6]].map(([signal, contribution]) => ({ signal, contribution }))
  t.same(page.reasons({ why }).map(one => one.signal), ['confusion', 'dominance', 'offreal'])
  const model = classOf(0, 0, 0)
  for (const groupId of ['g0', 'g1', 'g1', 'g2']) page.takeShift(model, { metrics: { groupId, metric: 'learningSignals' } })
  t.same(model.shifts.map(one => one.metrics.groupId), ['g1', 'g2'])
})
