/**
 * Settles as `promise` does, or after `ms` as `onLate` says, by what it returns or throws. What comes later is
 * ignored, so a late rejection is never an unhandled one.
 */
export function within<T> (ms: number, promise: Promise<T>, onLate: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let settled = false
    const late = async (): Promise<T> => onLate()
    // A process that was busy hears its timers before its sockets; what has arrived by then is not late.
    const timer = setTimeout(() => setImmediate(() => { if (!settled) resolve(late()) }), ms)
    promise.then(resolve, reject).finally(() => {
      settled = true
      clearTimeout(timer)
    })
  })
}
