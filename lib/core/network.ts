import { isIPv6, SocketAddress } from 'node:net'

/** An IPv4 address as an IPv6 socket shows it. */
const mapped = '::ffff:'

/**
 * What the limits count an address by: an IPv4 address itself, an IPv6 one by its /64, of which whoever has one address
 * mostly has all 2^64. Each network has one name, however its address is written; what is no address stays as it is.
 */
export function networkOf (address: string): string {
  if (!isIPv6(address)) return address
  const [withoutZone = ''] = address.split('%')
  const short = new SocketAddress({ address: withoutZone, family: 'ipv6' }).address
  if (short.startsWith(mapped) && short.includes('.')) return short.slice(mapped.length)
  const [head = [], tail = []] = short.split('::').map(part => part.split(':').filter(group => group !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
