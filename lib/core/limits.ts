import type { Static } from 'typebox'
import { count } from './options.ts'
import { Closed } from './schema.ts'

/** What one address, one user and one socket may do. An IPv6 address is counted by its /64: `networkOf`. */
export const Limits = Closed({
  connectsPer10Seconds: count(2000, 'authenticated connects of one address in 10 s'),
  failedConnectsPerMinute: count(60, 'refused connects of one address in a minute'),
  wrongCodesPerMinute: count(20, 'wrong join codes of one address in a minute'),
  wrongCodesPerDay: count(100, 'wrong join codes of one address in a day'),
  classroomSocketsPerUser: count(10, 'sockets of one user on /'),
  sessionsSocketsPerUser: count(5, 'sockets of one user on /sessions'),
  guidanceSocketsPerUser: count(3, 'sockets of one user on /guidance'),
  eventsPerSecond: count(50, 'events of one socket in a second'),
  eventBurst: count(100, 'events that a quiet socket may send at once'),
  roomsPerSocket: count(64, 'rooms that one socket may be in'),
  depth: count(32, 'nesting of a payload'),
  waitingBytes: count(1024 * 1024, 'bytes that may wait for one connection before it is closed as a slow reader'),
  handshakesPer10Seconds: count(4000, 'connections that one address may open in 10 s'),
  packetBytes: count(1024 * 1024, 'bytes of a packet; past twice as many the connection is closed'),
  audioChunksPerSecond: count(20, 'audio chunks of one socket in a second'),
  audioBytesPerSecond: count(1024 * 1024, 'audio bytes of one socket in a second')
})
export type Limits = Static<typeof Limits>
