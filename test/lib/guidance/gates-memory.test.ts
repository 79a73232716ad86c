import t from 'tap'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import { gatesLaw, settingsOf } from '../../conformance/gates.ts'
import { gatesRefuse } from '../../conformance/gates-hostile.ts'

gatesLaw(t, settings => createMemoryGates(settingsOf(settings)))
gatesRefuse(t, settings => createMemoryGates(settingsOf(settings)))
