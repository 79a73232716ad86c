import { startRedis } from '../redis.ts'
import { attack } from './attack.ts'
import { faults, said } from './verdict.ts'

/** `npm run test:fuzz`: a million frames, or as many as are given; then a seed, to see the same again; then `redis` for a server with Redis. */

const [frames = '1000000', seed = String(Date.now() % 1_000_000), backend] = process.argv.slice(2)
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.push(end) }
const redis = backend === 'redis' ? (await startRedis(owner)).url : false
const report = await attack(owner, { frames: Number(frames), seed: Number(seed), redis })
for (const end of ends.reverse()) await end()
const wrong = faults(report)
for (const fault of wrong) process.stdout.write(`${fault}\n`)
process.stdout.write(`${said(report)}\n${wrong.length === 0 ? 'nothing exited, nothing leaked, nothing reached a foreign room' : `${wrong.length} faults`}\n`)
process.exit(wrong.length === 0 ? 0 : 1)
