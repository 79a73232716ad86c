import { isIPv6, SocketAddress } from 'node:net'

/** An IPv4 address as an IPv6 socket shows it. */
const mapped = '::ffff:'
/** The first six groups under which translators (NAT64, SIIT) show IPv4 addresses: all of them are in one /64. */
const translated = ['64:ff9b:0:0:0:0', '0:0:0:0:ffff:0']

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
  const groups = [...head, ...zeros, ...tail]
  if (translated.includes(groups.slice(0, 6).join(':'))) return groups.slice(6).flatMap(group => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]).join('.')
  return `${groups.slice(0, 4).join(':')}::/64`
}
