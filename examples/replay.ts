import { main } from './replay/main.ts'
import { Complaint } from './replay/talk.ts'

/** Replays recorded talk through REST, as a worker would hand it in, and tells what a teacher would have seen. */

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort(new Complaint('Interrupted.')) })
process.exitCode = await main(process.argv.slice(2), process, stop.signal)
