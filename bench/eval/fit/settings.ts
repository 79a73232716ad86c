import type { Weights } from '../../../lib/guidance/embedded/model.ts'

/**
 * Where every fit begins. What the fits replace (words, the weights of topic, confusion and uptake, the thresholds) only
 * has to be sane here; the rest is chosen by hand, by looking at the cross-validated figures: how states follow each
 * other, how fast sums forget, what a change of the floor and of the pace is.
 */
export const settings: Weights = {
  version: 'settings',
  lexicon: { background: new Map(), offTask: new Map(), social: new Map() },
  topic: {
    weights: { bias: -1.5, goal: 2.5, history: 0, ratio: 0.7, lexicon: 1.5, number: 0, novel: 2, early: -1.3, recent: 0, fresh: 0 },
    prior: Math.log(0.25 / 0.75),
    clip: 3,
    stayOff: 0.95,
    goOff: 0.03,
    drift: 0.1,
    cap: 15,
    baseline: -1.2,
    trust: 1,
    memory: 80,
    patience: 20,
    halfLifeMs: 120_000,
    socialAt: 0,
    socialSlope: 1.5
  },
  confusion: {
    weights: {
      bias: -1.2, notUnderstand: 2.2, notKnow: 1.6, lost: 1.8, howTo: 1.5, whatIs: 1.4, whatDo: 1.7, help: 1.5, again: 0.9, whether: 0.4, why: 0.4,
      question: 0.4, mark: 0.3, short: -0.2, long: -0.5, resolved: -1.5, first: 0, tentative: -0.5
    },
    floor: -1,
    ceiling: 2.5,
    spread: 1.15,
    cap: 12,
    halfLifeMs: 90_000
  },
  floor: { share: 0.92, memory: 60, prior: 16, run: 0.1, clip: 2.5, cap: 14 },
  pace: { priorRate: 0.8, priorSeconds: 20, drift: 0.5, credit: 15, cap: 60, doubt: 20, memoryMs: 240000 },
  attention: { topic: [4.5, 6, 15], confusion: [4, 5, 12], floor: [4.5, 6, 14], pace: [27, 34, 60] },
  uptake: { bias: -1.2, content: 0.6, every: 0.5, question: 0.26, wonder: 0.09, length: 0.12, turn: 0.15 }
}
