import t from 'tap'
import { createMemoryGuidanceStore } from '../../../lib/guidance/store-memory.ts'
import { guidanceStoreLaw } from '../../conformance/guidance-store.ts'

guidanceStoreLaw(t, async (_, ttlSeconds = 60) => {
  const store = createMemoryGuidanceStore({ ttlSeconds })
  return [store, store]
})
