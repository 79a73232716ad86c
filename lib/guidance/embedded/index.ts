/** The embedded analyzer: deterministic, no network, no model file, constant time and space per group. */
export { assess, type Reason } from './assess.ts'
export { fold, skip, start, type Features } from './features.ts'
export { settle } from './level.ts'
export { peerOf, peersOf, type Peer, type Peers } from './peers.ts'
export { announced, detect, dimensions, shiftStart, snapshotOf, type Dimension, type Shift, type ShiftState, type Snapshot } from './shift.ts'
export { signals, type Signal } from './signals.ts'
export { paceOf, summary, tier1 } from './tier1.ts'
export { tier2 } from './tier2.ts'
