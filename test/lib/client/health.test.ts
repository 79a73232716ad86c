import t from 'tap'
import { healthOf, type ChannelFacts, type Facts } from '../../../lib/client/health.ts'

const up: ChannelFacts = { connected: true, complete: true, draining: false, expired: false }
const down: ChannelFacts = { ...up, connected: false, complete: false }
const all: Facts = { closed: false, network: true, awayForLong: false, channels: [up, up] }

t.test('what a page can show', async t => {
  const table: [what: string, facts: Partial<Facts>, health: string][] = [
    ['nothing was asked for yet', { channels: [] }, 'offline'],
    ['all is well', {}, 'online'],
    ['catching up', { channels: [up, { ...up, complete: false }] }, 'degraded'],
    ['one namespace is missing', { channels: [up, down] }, 'degraded'],
    ['gone for a moment', { channels: [down, down] }, 'reconnecting'],
    ['gone for long', { channels: [down, down], awayForLong: true }, 'offline'],
    ['the server goes', { channels: [{ ...up, draining: true }, up] }, 'draining'],
    ['the server has gone as it said', { channels: [{ ...down, draining: true }] }, 'draining'],
    ['the token is over', { channels: [up, { ...down, expired: true }], network: false }, 'expired'],
    ['no network', { channels: [up], network: false }, 'offline'],
    ['closed', { closed: true, channels: [{ ...down, expired: true }] }, 'offline']
  ]
  for (const [what, facts, health] of table) t.equal(healthOf({ ...all, ...facts }), health, what)
})
