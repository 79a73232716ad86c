import { gzipSync } from 'node:zlib'
import t from 'tap'
import { bundle } from '../../../bin/bundle.ts'

t.test('the SDK is at most 6 KB gzipped on top of socket.io-client, and brings nothing else', async t => {
  const source = await bundle('export * from "./lib/client/index.ts"')
  const size = gzipSync(source, { level: 9 }).length
  t.comment(`${size} bytes gzipped`)
  t.ok(size > 1_000 && size <= 6 * 1024, `${size} bytes`)
  t.notMatch(source, /\bimport\b|typebox|node:/, 'it stands alone')
})
