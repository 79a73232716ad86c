import type { promptCategories } from './schema.ts'

/**
 * What a teacher could say. Each asks an open question about the pupils' own thinking and holds no answer and no
 * verdict (focusing, not funnelling: Alic et al. 2022). The first part of a key is the category, so that what is
 * learnt of a template is found by it; a wording that asks something else takes a new key.
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
    'Ask the group where they are in the task, and what they want to find out next.',
    'Ask one member to say in a sentence what the group is trying to find out about “{topic}”.',
    'Ask what they have agreed on so far, and what is still open.',
    'Ask which part of the task they find most worth talking about, and why.'
  ]),
  ...lines('social', 'redirection', [
    'Join the group for a moment and ask what they would like to show you about “{topic}”.',
    'Ask the group to choose their next step together and to tell you why it comes next.',
    'Ask what they would tell another group about their idea so far.',
    'Ask what would help them to get back into the task.'
  ]),
  ...lines('confusion', 'clarity', [
    'Ask which step is unclear, and who can say in their own words what it asks for.',
    'Ask what they have tried, and what they expected to happen.',
    'Before you help, ask how they would put the question in their own words.',
    'Ask what a smaller version of the problem would look like.'
  ]),
  ...lines('dominance', 'collaboration', [
    'Ask someone who has spoken little what they make of the last idea.',
    'Before the group decides, ask each member what they would add or change.',
    'Ask the group who sees it differently, and what makes them see it so.',
    'Ask a quieter member how they would sum up where the group stands.'
  ]),
  ...lines('stall', 'energy', [
    'Ask the group what they are thinking about at the moment.',
    'Ask what would be the smallest next step that they could try.',
    'Ask what they need in order to go on.',
    'Ask which of two ideas, even rough ones, they would try first, and why.'
  ])
]
