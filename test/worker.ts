import { createEmitter } from '../lib/worker.ts'
import { ClasswavesError } from '../lib/core/errors.ts'

/** A worker in a process of its own, started by `fork.ts`: it knows Redis and no server, and sends what it is told. */
interface Order { area: 'sessions' | 'guidance', target: Record<string, string>, event: string, payload: unknown }

const { redis } = JSON.parse(process.argv[2] ?? '{}') as { redis: string }
const emitter = createEmitter({ redis })

process.on('message', ({ area, target, event, payload }: Order) => {
  emitter[area].dynamic(target, event, payload).then(
    () => process.send?.('ok'),
    (error: unknown) => process.send?.(error instanceof ClasswavesError ? error.code : String(error))
  )
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
