import type { Trained } from './model.ts'

/** Set by hand until the first calibration. */
export const trained: Trained = {
  version: 'hand',
  lexicon: {
    background: '',
    offTask: 'i:20 mi:60 my:60 she:60 teacher:80 play:90 game:90 home:90 dad:90 mom:90 dog:80 cat:80 movi:90 music:90 eat:70 food:80 lunch:90 bathroom:90 pencil:80 love:60 favorit:80 weekend:90 school:60 phone:80 friend:70 watch:60 cold:70 paper:50 homework:80 becaus:-60 think:-50 so:-40 we:-40 if:-40 then:-60',
    social: 'love:80 dog:90 cat:90 play:60 movi:90 music:90 eat:60 favorit:90 food:90 teacher:-90 paper:-90 bathroom:-90 pencil:-90 page:-90 work:-40'
  },
  topic: {
    weights: { bias: -1.758, goal: 5.889, history: 3, ratio: 0.171, lexicon: 0.7, number: -0.4, novel: 0, early: -1.8, recent: 0, fresh: 0 },
    prior: -1.437,
    clip: 3,
    stayOff: 0.92,
    goOff: 0.025,
    drift: 0.2,
    baseline: -1.2,
    trust: 0.75,
    memory: 80,
    patience: 20,
    halfLifeMs: 120_000,
    socialAt: 0,
    socialSlope: 1.5
  },
  confusion: {
    weights: {
      bias: -0.6, notUnderstand: 2, notKnow: 1.6, lost: 1.8, howTo: 1.6, whatIs: 1.5, whatDo: 1.6, help: 1.6, again: 1, whether: 0.5, why: 0.3,
      question: 0.3, mark: 0.3, short: 0, long: -0.5, resolved: -1.5, first: 0, tentative: -0.5
    },
    floor: -1,
    ceiling: 2.5,
    spread: 1.15,
    halfLifeMs: 90_000
  },
  floor: { share: 0.92, memory: 60, prior: 8, run: 0.1, clip: 2.5, cap: 15 },
  pace: { priorRate: 0.8, priorSeconds: 20, drift: 0.5, credit: 15, cap: 120, doubt: 20, memoryMs: 240_000 },
  attention: { topic: [6, 10, 25], confusion: [5, 8, 20], floor: [5, 8, 15], pace: [25, 40, 90] },
  uptake: { repeat: 0.4, share: 1, question: 0.5, cue: 0.3 }
}
