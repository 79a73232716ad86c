import type { promptCategories } from './schema.ts'

/**
 * What a teacher could say. Each focuses on the pupils' own thinking and gives no answer away (focusing, not
 * funnelling). The first part of a key is the category, so that what is learnt of a template is found by it.
 */
export interface Template {
  key: string
  /** The reason that it answers. */
  signal: string
  category: typeof promptCategories[number]
  message: string
}

const lines = (signal: string, category: Template['category'], messages: readonly string[]): Template[] =>
  messages.map((message, index) => ({ key: `${category}.${signal}.${index + 1}`, signal, category, message }))

/** `{topic}` stands for the session's topic. */
export const templates: readonly Template[] = [
  ...lines('offreal', 'redirection', [
    'Ask the group: where are you in the task right now, and what is the next thing you want to find out?',
    'Ask one member to tell you in a sentence what you are trying to solve about “{topic}”.',
    'Ask what they have agreed on so far, and what is still open.',
    'Ask which part of the task they find most worth talking about, and why.'
  ]),
  ...lines('social', 'redirection', [
    'Join the group for a moment and ask what they would like to show you about “{topic}”.',
    'Ask the group to pick the next step together and tell you why it is the next one.',
    'Ask what they would tell another group about their idea so far.',
    'Ask what made them drift, and what would help them to get back into it.'
  ]),
  ...lines('confusion', 'clarity', [
    'Ask which step is unclear, and let a member explain it in their own words.',
    'Ask what they have tried, and what they expected to happen.',
    'Ask them to say the question again in their own words before you help.',
    'Ask what a smaller version of the problem would look like.'
  ]),
  ...lines('dominance', 'collaboration', [
    'Ask someone who has not spoken yet what they think of the last idea.',
    'Ask each member for one idea before the group decides.',
    'Ask the group to find out who sees it differently, and why.',
    'Ask a quieter member to sum up where the group stands.'
  ]),
  ...lines('stall', 'energy', [
    'Ask the group what they are thinking about at the moment.',
    'Ask what would be the smallest next step that they could try.',
    'Ask what they need in order to go on.',
    'Ask them to compare two ideas, even rough ones, and say which they would try first.'
  ])
]
