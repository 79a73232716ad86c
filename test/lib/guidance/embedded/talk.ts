import { assess, fold, start, type Features } from '../../../../lib/guidance/embedded/index.ts'
import type { Assessment, GroupContext } from '../../../../lib/guidance/analyzer.ts'

/** Short talk of our own for tests: a group that plans a school garden. */
export const garden: GroupContext = {
  topic: 'Plan a school garden',
  goals: ['Choose three vegetables that grow in shade', 'Draw the beds on the map and work out the area of each bed', 'Agree on who waters the plants'],
  members: ['ana', 'ben', 'cem']
}

export const began = Date.UTC(2026, 0, 12, 9, 0, 0)

export const onTask = [
  'we need three vegetables that grow in the shade', 'lettuce grows in shade i think', 'yes and spinach because it does not need much sun',
  'so the first bed is four metres by two metres', 'then the area of the bed is eight square metres', 'okay draw the bed on the map',
  'where is the shade on the map', 'next to the wall so the lettuce bed goes there', 'the second bed is for spinach',
  'if the bed is longer then we need more plants', 'who waters the plants on monday', 'i can water on monday and you water on friday',
  'the third vegetable is kale because it grows in shade too', 'so kale is in bed three', 'that bed is three metres by two so six square metres',
  'i agree so we have lettuce spinach and kale', 'write the area of each bed on the map', 'we should check the area again', 'eight plus six is fourteen square metres', 'and the watering plan is done'
]
export const offTask = [
  'did you watch the game last night', 'my mom says i can go to the movies on saturday', 'i love that song so much', 'what are you having for lunch',
  'my dog ate my homework ha ha', 'i want to play football at the weekend', 'she said she likes his shoes', 'my favorite food is pizza',
  'are you going to her birthday party', 'i got a new phone', 'my sister is so annoying', 'i want to be a singer', 'do you have any pets', 'i have two cats and a dog',
  'we went to the beach on holiday', 'my brother plays in a band', 'i like to eat ice cream in bed', 'what music do you like', 'i love to dance', 'my dad drives a big truck'
]
export const lost = [
  'i do not understand this', 'what do we do now', 'how do you work out the area', 'i dont know', 'wait what does area mean', 'can someone help', 'i am so confused',
  'how do i draw the bed', 'what is a square metre again', 'i dont get it', 'what are we supposed to do', 'is anyone able to explain it', 'no idea', 'i am stuck', 'what do you mean', 'how does that work'
]

export interface Said { text: string, speaker?: string | null, gap?: number, seconds?: number }

/** Says it all, one turn after the other; speakers take turns unless named. */
export function say (features: Features, turns: readonly (string | Said)[], context: GroupContext = garden): Features {
  let at = Math.max(features.now, began)
  turns.forEach((turn, i) => {
    const { text, speaker = context.members[i % Math.max(context.members.length, 1)] ?? null, gap = 1, seconds = 3 } = typeof turn === 'string' ? { text: turn } : turn
    const startedAt = at + gap * 1000
    at = startedAt + seconds * 1000
    features = fold(features, { startedAt, endedAt: at, speaker, text }, context)
  })
  return features
}

export function repeat (turns: readonly string[], times: number): string[] {
  return Array.from({ length: times }, () => turns).flat()
}

export function after (features: Features, seconds: number, context: GroupContext = garden): Assessment {
  return assess(features, features.now + seconds * 1000, context)
}

export const healthy = (): Features => say(start(), repeat(onTask, 2))
