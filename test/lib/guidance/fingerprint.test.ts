import t from 'tap'
import { fingerprint, normalise } from '../../../lib/guidance/fingerprint.ts'

t.test('case, punctuation and spacing do not make another prompt', async t => {
  t.equal(normalise('  Ask   them: "Why?" '), 'ask them why')
  t.equal(normalise('２ groups'), '2 groups', 'wide digits')
  t.equal(normalise('cafe\u0301'), normalise('CAFÉ'), 'composed or not')
})

t.test('letters of every script and their marks count', async t => {
  const messages = ['почему?', 'когда?', '为什么', '什么时候', 'कि', 'का', 'لماذا', 'متى', 'été', 'ete']
  t.equal(new Set(messages.map(normalise)).size, messages.length)
  t.notOk(messages.map(normalise).includes(''))
})

t.test('messages without letters stand for themselves', async t => {
  t.not(fingerprint('c', '✅'), fingerprint('c', '❌'))
  t.equal(fingerprint('c', ' ✅ '), fingerprint('c', '✅'))
})

t.test('a fingerprint is 40 hex digits, one for each category', async t => {
  t.match(fingerprint('c', 'm'), /^[0-9a-f]{40}$/)
  t.not(fingerprint('a', 'm'), fingerprint('b', 'm'))
})
