import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { originRule } from '../../../lib/core/origin.ts'

const asks = (origin: string | undefined, host: string | undefined): IncomingMessage => ({ headers: { ...(origin !== undefined && { origin }), ...(host !== undefined && { host }) } }) as IncomingMessage

t.test('the server\'s own pages, those that are listed, and programs', async t => {
  const { allows } = originRule(['https://school.example', 'http://Other.Example:80', 'https://schule-münchen.example', 'https://app.example:8443'])
  const rows: [origin: string | undefined, host: string | undefined, allowed: boolean][] = [
    [undefined, 'here.example', true],
    ['https://here.example', 'here.example', true],
    ['http://here.example:3000', 'here.example:3000', true],
    ['http://here.example', 'here.example:80', true],
    ['https://here.example', 'here.example:443', true],
    ['https://here.example', 'HERE.example', true],
    ['http://[::1]:3000', '[::1]:3000', true],
    ['https://school.example', 'here.example', true],
    ['https://SCHOOL.example', 'here.example', true],
    ['http://other.example', 'here.example', true],
    ['https://xn--schule-mnchen-3ob.example', 'here.example', true],
    ['https://app.example:8443', 'here.example', true],

    ['null', 'here.example', false],
    ['', 'here.example', false],
    ['file://', 'here.example', false],
    ['file://here.example', 'here.example', false],
    ['chrome-extension://here.example', 'here.example', false],
    ['https://elsewhere.example', 'here.example', false],
    ['https://here.example:444', 'here.example', false],
    ['http://here.example:3001', 'here.example:3000', false],
    ['http://school.example', 'here.example', false],
    ['https://school.example:8443', 'here.example', false],
    ['https://app.example', 'here.example', false],
    ['https://school.example.evil.example', 'here.example', false],
    ['https://evil.example/https://school.example', 'here.example', false],
    ['https://school.example@evil.example', 'here.example', false],
    ['https://here.example.', 'here.example', false],
    ['https://sub.here.example', 'here.example', false],
    ['https://h\u0435re.example', 'here.example', false],
    ['https://xn--hre-ucd.example', 'here.example', false],
    ['https://here.example, https://here.example', 'here.example', false],
    ['https://here.example', undefined, false],
    ['https://here.example', 'here example', false],
    ['here.example', 'here.example', false],
    ['*', 'here.example', false]
  ]
  for (const [origin, host, allowed] of rows) t.equal(allows(asks(origin, host)), allowed, `${origin} at ${host}`)
})

t.test('what is no origin fails at boot', async t => {
  for (const wrong of ['https://school.example/app', 'https://', 'school.example', '*', 'https://a b', 'https://school.example?x', 'https://me@school.example']) {
    t.throws(() => originRule([wrong]), { code: 'CLASSWAVES_OPTIONS', message: /option origins has/ }, wrong)
  }
  t.same(originRule(['https://School.Example', 'http://a.example:80']).origins, ['https://school.example', 'http://a.example'])
})
