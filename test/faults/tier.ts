/** Fault tests have two sizes: the short one runs with all other tests, the full one with CLASSWAVES_FAULTS=full. */
const isFull = process.env.CLASSWAVES_FAULTS === 'full'

export function tier<T> (short: T, full: T): T { return isFull ? full : short }
