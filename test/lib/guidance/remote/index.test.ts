import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { OptionsError } from '../../../../lib/core/options.ts'
import { Analysis } from '../../../../lib/guidance/analysis.ts'
import { openaiAnalyzer, type OpenaiAnalyzerOptions } from '../../../../lib/guidance/remote/index.ts'
import { completion, context, endpoint, good, json, said, tier1Answer, tier2Answer, windowOf, type Asked } from './endpoint.ts'

const apiKey = 'sk-this-is-the-key'
const { window, reading } = windowOf(said)

async function build (t: Test, misbehave: (response: ServerResponse, asked: Asked) => void, options: Partial<OpenaiAnalyzerOptions> = {}) {
  const server = await endpoint(t, misbehave)
  const failures = { 1: 0, 2: 0 }
  const logs: string[] = []
  const keep = (...words: unknown[]): void => { logs.push(JSON.stringify(words)) }
  const log = { info: keep, warn: keep, error: keep } as unknown as FastifyBaseLogger
  const analyzer = openaiAnalyzer({ baseUrl: server.baseUrl, model: 'small', apiKey, timeoutMs: 4000, ...options })
  const analysis = new Analysis(analyzer, log, tier => { failures[tier]++ })
  return { ...server, analysis, analyzer, failures, logs }
}

const embedded = new Analysis(undefined, {} as FastifyBaseLogger, () => {})
const own = [await embedded.tier1(window, context), await embedded.tier2(window, reading, context)]

/** How an endpoint goes wrong, and as what that is counted. */
const misbehaviours: Record<string, [code: string, misbehave: (response: ServerResponse) => void]> = {
  'hangs and never answers': ['ANALYZER_TIMEOUT', () => {}],
  'drips its answer byte by byte': ['ANALYZER_TIMEOUT', response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const text = JSON.stringify(completion(tier1Answer))
    let i = 0
    const drip = setInterval(() => { response.write(text[i++ % text.length]) }, 10)
    response.on('close', () => { clearInterval(drip) })
  }],
  'answers 500': ['ANALYZER_STATUS_500', response => { json(response, { error: { message: `about ${said[0][1]}` } }, 500) }],
  'answers 429': ['ANALYZER_STATUS_429', response => { json(response, {}, 429, { 'retry-after': '7' }) }],
  'answers 401': ['ANALYZER_STATUS_401', response => { json(response, { error: `wrong key ${apiKey}` }, 401) }],
  'answers what is not JSON': ['ANALYZER_JSON', response => { json(response, `Sure! ${said[0][1]}`) }],
  'answers with talk instead of JSON in its message': ['ANALYZER_JSON', response => { json(response, completion(`They said: ${said[0][1]}`)) }],
  'answers JSON of another shape': ['ANALYZER_SHAPE', response => { json(response, { result: tier1Answer }) }],
  'answers scores of another shape': ['ANALYZER_SHAPE', response => { json(response, completion({ scores: tier1Answer })) }],
  'answers numbers out of range': ['ANALYZER_SHAPE', response => { json(response, completion({ ...tier1Answer, ...tier2Answer, confidence: 87 })) }],
  'answers NaN and numbers as texts': ['ANALYZER_SHAPE', response => { json(response, completion({ ...tier1Answer, ...tier2Answer, confidence: 'NaN', energyLevel: '0.5' })) }],
  'answers an infinite number': ['ANALYZER_SHAPE', response => { json(response, completion(JSON.stringify({ ...tier1Answer, ...tier2Answer, confidence: 'INF' }).replace('"INF"', '1e999'))) }],
  'answers null': ['ANALYZER_SHAPE', response => { json(response, 'null') }],
  'answers nothing': ['ANALYZER_JSON', response => { json(response, '') }],
  'sends without end': ['ANALYZER_SIZE', response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = (): void => { while (!response.destroyed && response.write(' '.repeat(16_384))); }
    response.on('drain', more).on('error', () => {})
    more()
  }],
  'announces a huge body': ['ANALYZER_SIZE', response => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1e9 }).write('{') }],
  'resets the connection': ['ANALYZER_NETWORK_ECONNRESET', response => { response.socket?.resetAndDestroy() }],
  'closes early': ['ANALYZER_NETWORK_UND_ERR_SOCKET', response => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 5000 }).write('{"choices"', () => { response.socket?.destroy() })
  }],
  'answers a page': ['ANALYZER_TYPE', response => { response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(completion(tier1Answer))) }],
  'points elsewhere': ['ANALYZER_REDIRECT', response => { response.writeHead(307, { location: '/elsewhere' }).end() }]
}

for (const [name, [code, misbehave]] of Object.entries(misbehaviours)) {
  t.test(`an endpoint that ${name}: the embedded result goes out in time and is counted`, async t => {
    const { analysis, failures, logs, asked } = await build(t, misbehave, code === 'ANALYZER_TIMEOUT' ? { timeoutMs: 250 } : {})
    const begun = performance.now()
    const results = await Promise.all([analysis.tier1(window, context), analysis.tier2(window, reading, context)])
    const ms = performance.now() - begun
    t.same(results, own)
    t.ok(ms < 4000, `${ms} ms, before the engine's own limit`)
    t.same(failures, { 1: 1, 2: 1 })
    t.ok(asked.length >= 1 && asked.length <= 2, 'nothing is asked twice')
    t.ok(asked.every(one => one.path === '/v1/chat/completions'), 'and nobody else is asked')
    t.match(logs.join(), code.replace(/_(ECONNRESET|UND_ERR_SOCKET)$/, ''))
    for (const secret of [apiKey, said[0][1], 'river', 'bank']) t.notMatch(logs.join(), secret)
  })
}

t.test('a refused connection is a failure like the others', async t => {
  const { baseUrl } = await endpoint(t, good)
  const dead = new URL(baseUrl)
  dead.port = '1'
  await t.rejects(openaiAnalyzer({ baseUrl: String(dead), model: 'small' }).tier1?.(window, context, { signal: new AbortController().signal }) as Promise<unknown>, {
    name: 'RemoteFailure', code: /^ANALYZER_NETWORK/, message: 'The endpoint could not be reached, or the connection broke.'
  })
})

t.test('a good endpoint is believed', async t => {
  const { analysis, failures, asked, logs } = await build(t, good)
  t.match(await analysis.tier1(window, context), { ...tier1Answer, windowStart: new Date(window.start).toISOString(), summary: String })
  t.same(await analysis.tier2(window, reading, context), {
    ...tier2Answer, recommendations: [{ type: 'deepen', priority: 'low', message: 'Ask Bilal what they would add.' }]
  }, 'and its labels of speakers are the speakers again')
  t.same(failures, { 1: 0, 2: 0 })
  t.same(logs, [])
  const [first] = asked
  t.match(first?.headers, { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' })
  t.match(JSON.parse(first?.text ?? ''), {
    model: 'small', stream: false, temperature: 0, response_format: { type: 'json_schema', json_schema: { strict: true, schema: { additionalProperties: false, required: Object.keys(tier1Answer) } } }
  })
})

t.test('what the schema does not name does not travel, and recommendations are bounded', async t => {
  const one = { type: 'praise', priority: 'low', message: `${'Well done. '.repeat(50)}`, thought: 'x' }
  const link = { ...one, message: 'See https://evil.example/x now' }
  const { analysis } = await build(t, (response, { text }) => {
    json(response, completion(`\`\`\`json\n${JSON.stringify(text.includes('argumentationQuality') ? { ...tier2Answer, recommendations: [link, one, one, one], thought: 'x' } : { ...tier1Answer, windowStart: 'x', thought: 'x' })}\n\`\`\``))
  })
  const [tier1, tier2] = [await analysis.tier1(window, context), await analysis.tier2(window, reading, context)]
  t.notMatch(JSON.stringify([tier1, tier2]), /thought/)
  t.match(tier1, { offTopicHeat: 0.33, windowStart: new Date(window.start).toISOString() }, 'a code block around the answer is taken off')
  t.equal(tier2.recommendations.length, 3)
  t.equal(tier2.recommendations[0]?.message, 'See [link] now')
  t.ok((tier2.recommendations[1]?.message.length ?? 999) <= 241)
})

t.test('only the tiers that were asked for are sent; JSON mode for servers that know no schema', async t => {
  const { analyzer, analysis, asked } = await build(t, good, { tiers: [2], format: 'json', request: { max_tokens: 900 } })
  t.notOk(analyzer.tier1)
  t.notOk(asked.length)
  await analysis.tier2(window, reading, context)
  const body = JSON.parse(asked[0]?.text ?? '') as object
  t.match(body, { max_tokens: 900, response_format: { type: 'json_object' } })
  t.notOk('temperature' in body)
})

t.test('no name, no contact and no id of the input is in the request', async t => {
  const secrets = ['Annegret', 'Sóley', 'Brandsdóttir', 'Oyelaran', '李小龙', 'kw@school.example', 'me.example/page', '0171 555 0199', 'dragon_99', '4829517', 's-secret', 'g-secret', 'user-7f3a', 'Quentin']
  const { window, reading } = windowOf([
    ['Annegret', 'I am annegret and this is Soley, mail me: kw@school.example'],
    ['user-7f3a', 'ask BRANDSDOTTIR or oyelaran’s brother, 李小龙说对'],
    [null, 'call 0171 555 0199 or see https://me.example/page, I am @dragon_99, id 4829517'],
    ['Quentin', 'Quentins river bends, user 7f3a says']
  ])
  const { analysis, asked, failures } = await build(t, good)
  const named = { topic: 'Rivers, for Annegret', goals: ['Explain it to Oyelaran, kw@school.example'], members: ['Sóley Brandsdóttir'], names: ['Annegret', 'A. Oyelaran', '李小龙'] }
  await Promise.all([analysis.tier1(window, named), analysis.tier2(window, reading, named)])
  t.same(failures, { 1: 0, 2: 0 })
  t.equal(asked.length, 2)
  for (const { text, headers, path } of asked) {
    const sent = `${path} ${JSON.stringify(headers)} ${text}`.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    for (const secret of secrets) t.notOk(sent.includes(secret.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()), secret)
    const { messages } = JSON.parse(text) as { messages: { content: string }[] }
    const { talk } = JSON.parse(messages[1]?.content ?? '') as { talk: { speaker: string, said: string }[] }
    t.same(talk.map(one => one.speaker), ['Speaker 1', 'Speaker 2', 'Somebody', 'Speaker 3'])
    t.match(talk[3]?.said, /^\[name\] river bends/, 'what is nobody\'s name is there')
  }
})

t.test('of a long window the newest talk is sent', async t => {
  const { window } = windowOf(Array.from({ length: 100 }, (_, i) => ['Anna', `${i} ${'word '.repeat(20)}`] as const))
  const { analysis, asked } = await build(t, good, { maxTalkChars: 1000 })
  await analysis.tier1(window, context)
  t.ok((asked[0]?.text.length ?? 9999) < 4000)
  t.ok(asked[0]?.text.includes('99 word'))
  t.notOk(asked[0]?.text.includes('50 word'))
})

t.test('after some failures the endpoint is left alone, then probed by one', async t => {
  let sick = true
  const { analysis, asked, failures, logs } = await build(t, (response, one) => { sick ? json(response, {}, 500) : good(response, one) }, { failures: 3, openMs: 1000 })
  for (let i = 0; i < 10; i++) t.same(await analysis.tier1(window, context), own[0])
  t.equal(asked.length, 3)
  t.equal(failures[1], 10, 'each window that was replaced is counted')
  t.equal(logs.length, 2, 'an outage is logged when its reason changes, not for each window')
  await new Promise(resolve => setTimeout(resolve, 1050))
  await Promise.all(Array.from({ length: 6 }, async () => await analysis.tier1(window, context)))
  t.equal(asked.length, 4, 'one probe, whatever waits')
  sick = false
  await new Promise(resolve => setTimeout(resolve, 1050))
  t.match(await analysis.tier1(window, context), tier1Answer)
  t.match(await analysis.tier1(window, context), tier1Answer)
  t.match(logs.at(-1), 'answers again')
})

t.test('Retry-After is honoured, in seconds and as a date', async t => {
  await Promise.all([() => '2', () => new Date(Date.now() + 3000).toUTCString()].map(async value => {
    let tired = true
    const { analysis, asked } = await build(t, (response, one) => { tired ? json(response, {}, 429, { 'retry-after': value() }) : good(response, one) }, { openMs: 60_000 })
    for (let i = 0; i < 5; i++) await analysis.tier1(window, context)
    t.equal(asked.length, 1, 'one 429 is enough')
    tired = false
    await new Promise(resolve => setTimeout(resolve, 3100))
    t.match(await analysis.tier1(window, context), tier1Answer)
  }))
})

t.test('so many exchanges at once, so many that wait, no more', async t => {
  let [running, most] = [0, 0]
  const { analysis, asked, failures } = await build(t, (response, one) => {
    most = Math.max(most, ++running)
    setTimeout(() => { running--; good(response, one) }, 40)
  }, { concurrency: 2, queue: 3 })
  await Promise.all(Array.from({ length: 9 }, async () => await analysis.tier1(window, context)))
  t.equal(most, 2)
  t.equal(asked.length, 5)
  t.equal(failures[1], 4)
})

t.test('when the server closes, nothing is waited for and no connection stays', async t => {
  const { analysis, asked, connections } = await build(t, () => {}, { timeoutMs: 60_000, concurrency: 1 })
  const pending = Promise.all([analysis.tier1(window, context), analysis.tier2(window, reading, context)])
  while (asked.length < 1) await new Promise(resolve => setTimeout(resolve, 5))
  const begun = performance.now()
  analysis.close()
  t.same(await pending, own)
  t.ok(performance.now() - begun < 2000)
  while (await connections() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.same(await analysis.tier1(window, context), own[0])
  t.equal(asked.length, 1, 'and nobody is asked any more')
})

t.test('it never throws but at boot, and then in a sentence without the key', async t => {
  const right = { baseUrl: 'http://127.0.0.1:1/v1', model: 'small' }
  const wrong: [object, RegExp][] = [
    [{ model: 'small' }, /option baseUrl is missing/],
    [{ baseUrl: right.baseUrl }, /option model is missing/],
    [{ ...right, baseUrl: 'ftp://x' }, /option baseUrl must be an http or https address/],
    [{ ...right, baseUrl: 'https://me:sk-secret@host/v1' }, /option baseUrl must be/],
    [{ ...right, apiKey: 'sk-secret\n' }, /option apiKey must be a text without blanks/],
    [{ ...right, apikey: 'sk-secret' }, /option apikey is not known; did you mean apiKey/],
    [{ ...right, timeoutMs: -1 }, /option timeoutMs/],
    [{ ...right, tiers: [3] }, /option tiers/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => openaiAnalyzer(options as OpenaiAnalyzerOptions), OptionsError)
    t.throws(() => openaiAnalyzer(options as OpenaiAnalyzerOptions), { message })
    try {
      openaiAnalyzer(options as OpenaiAnalyzerOptions)
    } catch (error) {
      t.notMatch(String(error), /sk-secret/)
    }
  }
  const answer = openaiAnalyzer(right).tier1?.({ ...window, utterances: undefined as never }, context, { signal: new AbortController().signal })
  await t.rejects(answer as Promise<unknown>)
})
