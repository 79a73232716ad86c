/**
 * Settles as `promise` does, or after `ms` as `onLate` says, by what it returns or throws. What comes later is
 * ignored, so a late rejection is never an unhandled one. The time begins with the end of this turn of the event loop:
 * that is when what was asked in it goes out.
 */
export function within<T> (ms: number, promise: Promise<T>, onLate: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let settled = false
    const late = async (): Promise<T> => onLate()
    let timer: NodeJS.Timeout | undefined
    setImmediate(() => {
      // A process that was busy hears its timers before its sockets; what has arrived by then is not late.
      if (!settled) timer = setTimeout(() => setImmediate(() => { if (!settled) resolve(late()) }), ms)
    })
    promise.then(resolve, reject).finally(() => {
      settled = true
      clearTimeout(timer)
    })
  })
}
