import t from 'tap'
import { createMemoryJournal } from '../../../lib/core/journal-memory.ts'
import { journalConforms, ttlSeconds } from '../../conformance/journal.ts'
import { journalModel } from '../../conformance/journal-model.ts'

let later = 0
const backend = {
  open: async (options = {}) => createMemoryJournal({ ttlSeconds, now: () => Date.now() + later, ...options }),
  async age (ms: number) { later += ms }
}

journalConforms(t, backend)
journalModel(t, backend)
