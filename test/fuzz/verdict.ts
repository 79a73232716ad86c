import type { Report } from './attack.ts'

const mebibyte = 1024 * 1024
/** What a process may have grown by since it was warm: what classes keep is bounded, and code is compiled. */
const growth = { heap: 32 * mebibyte, rss: 192 * mebibyte }

/** What went wrong, as sentences. */
export function faults ({ before, warm, after, foreign, failures, exit, served, status }: Report): string[] {
  if (exit !== undefined) return [exit]
  const grown = after.heap - warm.heap
  return [
    ...foreign.map(one => `a foreign class: ${one}`),
    ...failures.map(one => `an honest class: ${one}`),
    ...['ending', 'ended', 'unknown'].includes(status) ? [`the attacked class was ${status}, so most of it was refused at the door`] : [],
    ...served === 0 ? ['the honest class was not served'] : [],
    ...after.errors.map(one => `an error of ours: ${one}`),
    ...after.pid !== before.pid ? ['the process is another one'] : [],
    ...(['connections', 'sockets', 'rooms', 'files'] as const).filter(what => after[what] > before[what]).map(what => `${what} are left: ${before[what]} before, ${after[what]} after`),
    ...grown > growth.heap ? [`the heap has grown by ${Math.round(grown / mebibyte)} MiB`] : [],
    ...after.rss - warm.rss > growth.rss ? [`the process has grown by ${Math.round((after.rss - warm.rss) / mebibyte)} MiB`] : []
  ]
}

export function said ({ seed, frames, requests, connections, seconds, before, warm, after, served, worstMs }: Report): string {
  const mib = (bytes: number): string => `${Math.round(bytes / mebibyte)} MiB`
  return `${frames} frames and ${requests} requests on ${connections} connections in ${Math.round(seconds)} s (seed ${seed}); ` +
    `heap ${mib(before.heap)} before, ${mib(warm.heap)} after a tenth, ${mib(after.heap)} at the end; rss ${mib(warm.rss)} after a tenth, ${mib(after.rss)} at the end; ` +
    `an honest class was served ${served} times and waited ${worstMs} ms at most`
}
