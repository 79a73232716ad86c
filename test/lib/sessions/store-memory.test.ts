import t from 'tap'
import { createMemorySessionStore } from '../../../lib/sessions/store-memory.ts'
import { make, memoryBackend } from '../../conformance/session-store-backends.ts'
import { sessionStoreConforms } from '../../conformance/session-store.ts'

sessionStoreConforms(t, async () => memoryBackend())

t.test('the process clock counts unless another is given', async t => {
  const store = createMemorySessionStore({ ttlSeconds: 60 })
  const from = Date.now()
  const { createdAt } = await make(store, 's1')
  t.ok(Date.parse(createdAt) >= from && Date.parse(createdAt) <= Date.now())
})
