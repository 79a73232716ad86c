import fc from 'fast-check'
import t from 'tap'
import { networkOf } from '../../../lib/core/network.ts'

const group = fc.oneof(fc.nat(0xffff), fc.constant(0))
/** Of the first group only such as no IPv4 address is mapped into. */
const prefix = fc.tuple(fc.integer({ min: 1, max: 0xffff }).filter(group => group !== 0x64), group, group, group)
const host = fc.tuple(group, group, group, group)
const written = (groups: readonly number[]): string => groups.map(one => one.toString(16)).join(':')
/** One address in several ways. */
const ways = (groups: readonly number[]): string[] => {
  const long = groups.map(one => one.toString(16).padStart(4, '0')).join(':')
  const short = new URL(`http://[${long}]`).hostname.slice(1, -1)
  return [long, long.toUpperCase(), written(groups), short, `${short}%eth0`]
}

t.test('all addresses of a /64 are one, however they are written', async () => {
  fc.assert(fc.property(prefix, host, host, (prefix, one, other) => {
    const names = new Set([...ways([...prefix, ...one]), ...ways([...prefix, ...other])].map(networkOf))
    return names.size === 1 && names.has(`${written(prefix)}::/64`)
  }))
})

t.test('those of two are two', async () => {
  fc.assert(fc.property(prefix, prefix, host, (one, other, host) => {
    const [first, second] = [one, other].map(prefix => networkOf(written([...prefix, ...host])))
    return (first === second) === (written(one) === written(other))
  }))
})

t.test('an IPv4 address is itself, also where an IPv6 socket or a translator shows it', async () => {
  fc.assert(fc.property(fc.ipV4(), address => {
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
    const hex = `${written([a * 256 + b, c * 256 + d])}`
    return [address, `::ffff:${address}`, `::FFFF:${address}`, `::ffff:${hex}`, `0:0:0:0:0:ffff:${address}`, `64:ff9b::${address}`, `::ffff:0:${hex}`].every(one => networkOf(one) === address)
  }))
})

t.test('of each kind one', async t => {
  const kinds = {
    '127.0.0.1': '127.0.0.1',
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:db8:0:1::1': '2001:db8:0:1::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '1::5:6:7:8': '1:0:0:0::/64',
    '::ffff:0:1.2.3.4': '1.2.3.4',
    '64:ff9b::1.2.3.4': '1.2.3.4',
    '64:ff9b::1:0:1.2.3.4': '64:ff9b:0:0::/64'
  }
  for (const [address, network] of Object.entries(kinds)) t.equal(networkOf(address), network, address)
  for (const none of ['', 'undefined', 'unix:', '1.2.3.4:5678', '[2001:db8::1]', '2001:db8::1, 2001:db8::2', 'x'.repeat(5_000)]) t.equal(networkOf(none), none, `no address: ${none.slice(0, 40)}`)
})
