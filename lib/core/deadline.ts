/**
 * Settles as `promise` does, or after `ms` as `onLate` says, by what it returns or throws. What comes later is
 * ignored, so a late rejection is never an unhandled one.
 */
export function within<T> (ms: number, promise: Promise<T>, onLate: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(new Promise(settle => settle(onLate()))), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
