/** How the connection stands, in words that a page can show. */

export const healths = ['online', 'degraded', 'reconnecting', 'draining', 'expired', 'offline'] as const
/**
 * `online`: connected, and everything that is followed is complete. `degraded`: connected, but something is still being
 * caught up with or one namespace is missing. `draining`: the server has said that it goes away. `expired`: the token
 * is over or not accepted, and nothing happens until `renew()`. `offline`: closed, no network, or away for long.
 */
export type Health = typeof healths[number]

/** What is known of one namespace. */
export interface ChannelFacts { connected: boolean, complete: boolean, draining: boolean, expired: boolean }
export interface Facts { closed: boolean, network: boolean, awayForLong: boolean, channels: readonly ChannelFacts[] }

export function healthOf ({ closed, network, awayForLong, channels }: Facts): Health {
  if (closed || channels.length === 0) return 'offline'
  if (channels.some(one => one.expired)) return 'expired'
  if (!network) return 'offline'
  if (channels.some(one => one.draining)) return 'draining'
  if (channels.every(one => one.connected)) return channels.every(one => one.complete) ? 'online' : 'degraded'
  if (channels.some(one => one.connected)) return 'degraded'
  return awayForLong ? 'offline' : 'reconnecting'
}
