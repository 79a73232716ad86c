import Fastify from 'fastify'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import classwaves from '../../index.ts'
import { build } from '../app.ts'

t.before(writeSdk)

t.test('pages are served when the host asks, from the package alone, under a strict policy', async t => {
  const { app, call } = await build(t, { pages: true })
  for (const [url, type] of [['/teach', 'text/html'], ['/join', 'text/html'], ['/join/ABC234', 'text/html'], ['/classwaves/style.css', 'text/css'], ['/classwaves/sdk.js', 'text/javascript'], ['/classwaves/teacher/model.js', 'text/javascript']] as const) {
    const reply = await call<string>('GET', `/${url}`)
    t.equal(reply.status, 200, url)
    t.match(reply.headers.get('content-type'), type)
    const policy = reply.headers.get('content-security-policy') ?? ''
    t.match(policy, /default-src 'none'.*require-trusted-types-for 'script'/)
    t.notMatch(policy, /unsafe|https?:|\*/)
    t.equal(reply.headers.get('x-content-type-options'), 'nosniff')
    if (type === 'text/html') t.notMatch(reply.body, /<script>|\sstyle="|\son[a-z]+="|(src|href)="(https?:)?\/\//, `${url} has nothing inline and nothing from elsewhere`)
  }
  t.same((await call('GET', '//classwaves/settings.json')).body, { prefix: '/api/v1', socketPath: '/socket.io', microphone: false, classroom: true })
  const etag = (await call('GET', '//teach')).headers.get('etag') ?? ''
  t.equal((await call('GET', '//teach', undefined, undefined, { 'if-none-match': etag })).status, 304)
  for (const url of ['/classwaves/../package.json', '/classwaves/%2e%2e/package.json', '/classwaves/teacher.html', '/classwaves/nothing.js']) {
    t.equal((await app.inject({ url })).statusCode, 404, url)
  }
})

t.test('without being asked it serves no page', async t => {
  const { call } = await build(t)
  for (const url of ['//teach', '//join', '//classwaves/sdk.js']) t.equal((await call('GET', url)).status, 404)
})

t.test('pages say which part they miss', async t => {
  for (const options of [{ guidance: false }, { routes: { prefix: false } }] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => await app.register(classwaves, { jwt: { secret: 's' }, pages: true, ...options }), { message: /option pages needs/ })
  }
})
