import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { User } from '../../../lib/core/access.ts'
import { Lifetime } from '../../../lib/core/lifetime.ts'

const user = (secondsFromNow: number): User => ({ userId: 'u', role: 'teacher', exp: Math.floor(Date.now() / 1000) + secondsFromNow })

function watch (): { lifetime: Lifetime, seen: string[] } {
  const seen: string[] = []
  return { seen, lifetime: new Lifetime({ expiring: at => seen.push(`expiring ${at}`), expired: () => seen.push('expired') }, Date.now) }
}

t.test('a token that ends within the minute is warned of at once, then ends', async t => {
  const { lifetime, seen } = watch()
  const soon = user(3)
  lifetime.follow(soon)
  await wait(20)
  t.same(seen, [`expiring ${new Date(soon.exp * 1000).toISOString()}`])
  await wait(soon.exp * 1000 - Date.now() + 30)
  t.equal(seen.at(-1), 'expired')
})

t.test('a newer token takes the place of the old one', async t => {
  const { lifetime, seen } = watch()
  const soon = user(3)
  lifetime.follow(soon)
  await wait(10)
  lifetime.follow(user(600))
  await wait(soon.exp * 1000 - Date.now() + 30)
  t.notOk(seen.includes('expired'))
  lifetime.stop()
})

t.test('a token of many years does not end at once', async t => {
  const { lifetime, seen } = watch()
  lifetime.follow(user(100 * 365 * 24 * 3600))
  await wait(20)
  t.same(seen, [])
  lifetime.stop()
})
