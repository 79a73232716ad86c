import { createHash } from 'node:crypto'
import { assess, fold, start, tier2 } from '../../lib/guidance/embedded/index.ts'
import { load, type Session } from './data.ts'

/** All state and all answers of some sessions as one hash; as it goes, through JSON after each turn, or looked at in between. */
export function digest (sessions: readonly Session[], how: 'each' | 'stored' | 'looked at'): string {
  const sum = createHash('sha256')
  for (const session of sessions) {
    let features = start()
    for (const turn of session.turns) {
      features = fold(features, turn, session.context)
      if (how === 'stored') features = JSON.parse(JSON.stringify(features)) as typeof features
      if (how === 'looked at') assess(features, turn.endedAt + 20_000, session.context)
    }
    sum.update(JSON.stringify([features, assess(features, features.now + 5000, session.context), tier2(features, features.now + 5000, session.context)]))
  }
  return sum.digest('hex')
}

const [folder] = process.argv.slice(2)
if (process.send && folder !== undefined) {
  const data = load(folder)
  process.send(digest([...data.groups, ...data.meetings, ...data.splices, ...data.scenarios].slice(0, 24), 'each'))
  process.disconnect()
}
