import t from 'tap'
import { useRedis } from '../redis.ts'
import { attack } from './attack.ts'
import { frames } from './frames.ts'
import { Random } from './random.ts'
import { faults, said } from './verdict.ts'

/** The short tier; `npm run test:fuzz` sends a million. With CLASSWAVES_FUZZ as the seed the same is seen again. */

const seed = Number(process.env.CLASSWAVES_FUZZ ?? 1)

for (const [backend, size] of [['memory', 8_000], ['Redis', 4_000]] as const) {
  t.test(`frames from the contracts and what chance makes of them, on ${backend}`, async t => {
    const redis = backend === 'Redis' && (await useRedis(t)).url
    const report = await attack(t, { seed, frames: size, redis })
    t.comment(said(report))
    t.same(faults(report), [])
    t.ok(report.frames >= size, `${report.frames} frames were read`)
  })
}

t.test('a seed says what is sent', async t => {
  const attacker = { token: 'x', places: [{ sessionId: 's', groupId: 'g', promptId: 'p', code: 'c', token: 'x' }] }
  const sent = (...seeds: number[]): string => {
    const random = new Random(...seeds)
    return JSON.stringify(Array.from({ length: 200 }, () => frames(attacker, ['/', '/sessions'], random)))
  }
  t.equal(sent(1, 7), sent(1, 7))
  t.not(sent(1, 7), sent(1, 8))
  t.not(sent(1, 7), sent(2, 7))
})
