import type { Words } from './words.ts'

/**
 * Phrases that show what a turn does: asking for help, giving a reason, disagreeing. Written for spoken talk after
 * `words`: no apostrophes, no punctuation. Sources of the families: help seeking (Nelson-Le Gall 1981), accountable
 * talk and TalkMoves (Suresh et al. 2022), argument in collaboration (Weinberger & Fischer 2006), probing in group
 * deliberation (Karadzhov et al. 2023).
 */
const family = (...phrases: string[]): RegExp => new RegExp(` (?:${phrases.join('|')})(?= )`, 'gu')

/** Asking for help or showing that something is not understood. */
export const confusionCues = {
  notUnderstand: family('(?:do|did|does|cant|could|couldnt|dont|didnt|doesnt) (?:not |really |even |quite )*(?:understand|get (?:it|this|that|what|how|why))', 'not understand', '(?:cant|couldnt) (?:figure|work|tell|see how|see why)', 'makes? no sense', '(?:dont|doesnt|didnt|not) make (?:any )?sense', 'no clue'),
  notKnow: family('dontknow', '(?:dont|do not|didnt|cant|not) (?:really |even |actually |exactly )*(?:know|remember|recall)', '(?:i )?forgot(?:ten)?', 'i forget', 'but not', 'no idea', '(?:not|never) sure', 'unsure'),
  lost: family('confus(?:ed|ing|es|e)', 'lost', 'stuck', 'too hard', 'so hard', 'difficult', 'giv(?:e|ing) up', 'struggling'),
  howTo: family('how (?:do|does|did|would|should|can|could|to|are|am) (?:(?:i|you|we|it|they|the) )?\\p{L}+', 'how come', 'how (?:is|was|about|many|much)'),
  whatIs: family('what (?:(?:is|was|are|were|does|do|did|would|the|a|an|this|that|it|about|word|exactly|again|color|kind) )+\\p{L}+', 'what \\p{L}+ (?:is|means?|again)', 'what (?:mean|means)', 'which (?:one|is|way|word)'),
  whatDo: family('what (?:do|should|are|can|must|am|did) (?:i|we|you) (?:\\p{L}+ )*(?:do|doing|say|write|put|have|supposed|need|mean)', 'where (?:do|does|is|are|did|should)', 'what now', 'now what'),
  help: family('help', 'clue', 'clarify', 'elaborate', 'any (?:help|hints?|ideas?)', 'hint', 'can (?:you|someone|anyone|somebody) (?:please )?(?:help|tell|explain|show|repeat|remind|give|translate)', 'could you', 'tell me', 'remind me', 'explain (?:it|that|this|again|to|how|why)', 'show me', 'say (?:it|that) again', 'translate'),
  again: family('again', 'repeat', 'one more time', 'wait what', 'huh', 'what do you mean', 'pardon', 'excuse me'),
  whether: family('am i', 'is (?:this|that) (?:right|correct|okay|it)', 'did i', 'should i', 'do i', 'am i'),
  why: family('why')
} as const
export type ConfusionCue = keyof typeof confusionCues
export const confusionCueNames = Object.keys(confusionCues) as ConfusionCue[]

/** An answer offered for checking: unsure, but not asking for help. */
export const tentative = family('is it', 'isnt (?:it|that)', 'right(?= $)', 'correct(?= $)', 'maybe', 'perhaps', 'my guess', 'i guess', 'i think', 'would it be', 'could it be', 'by chance', 'how about')

/** Something became clear: takes confusion back. */
export const resolved = family('(?:oh |ah )+(?:i see|i get it|okay|right|yeah)', 'i see', '(?:i|we) (?:get|got|understand|understood) (?:it|that|this|now)', 'got it', 'makes sense(?! of)', 'now i (?:get|see|know|understand)', 'figured (?:it )?out', 'i understand', 'thats it', 'it worked', 'it works', 'that worked')

/** What a turn does in an argument, in collaboration, in learning. */
export const moveCues = {
  reason: family('because', 'since', 'so that', 'therefore', 'thats why', 'that is why', 'the reason', 'which means', 'that means', 'it means', 'if (?:\\p{L}+ ){1,12}then', 'if (?:we|you|it|the|i|they|there)', 'must be', 'has to be', 'have to be', 'then it'),
  claim: family('i think', 'i say', 'i guess', 'i believe', 'i feel like', 'in my opinion', 'it should', 'we should', 'the answer', 'it has to', 'we need to', 'we have to', 'probably', 'definitely', 'i would'),
  evidence: family('for example', 'for instance', 'like when', 'it says', 'according', 'the (?:text|book|data|graph|picture|map|rule|table|source|page) (?:says|shows|is)', 'we (?:saw|found|measured|tried|know)', 'you can see', 'it shows', 'look at', 'as we'),
  counter: family('but', 'however', 'no because', 'disagree', 'i dont think', 'not necessarily', 'what if', 'although', 'unless', 'on the other hand', 'actually', 'instead', 'are you sure', 'doesnt (?:matter|work|mean|have)', 'except'),
  synthesis: family('so (?:we|then|it|that|basically|in)', 'agree', 'overall', 'in the end', 'together', 'altogether', 'in conclusion', 'we all', 'both', 'as a group', 'so the', 'final', 'combine', 'conclusion', 'to sum'),
  conflict: family('no(?: no)*', 'wrong', 'disagree', 'youre? (?:are )?(?:not|wrong)', 'thats? not', 'i dont think', 'not true', 'stop'),
  agree: family('agree', 'good (?:point|idea|job|call|thinking)', 'exactly', 'youre? right', 'you are right', 'true', 'i think so(?: too)?', 'me too', 'same', 'yes', 'yeah', 'okay', 'makes sense', 'right'),
  probe: family('what do you (?:think|all think|guys think|mean)', 'what (?:does|do) (?:everyone|everybody|anyone|you|we all|others?)', 'do (?:you|we all|we|they|yall|you all|you guys) (?:all )?(?:agree|think|want|have)', 'does (?:everyone|anyone|everybody|anybody|that)', 'any(?:one|body)', 'everyone', 'why (?:do|did|would|is|are|not|does|should)', 'how (?:do|did|would|does|come|about)', 'what (?:about|if|made|did|makes)', 'your (?:thoughts|reason|reasons|reasoning|answer|answers|opinion|choice)', 'thoughts', 'should we', 'shall we', 'are we', 'explain', 'so we'),
  meta: family('i (?:was|am) (?:wrong|thinking|confused)', 'i (?:thought|realised|realized|noticed|wonder|remember|learned|understand|know)', 'lets? (?:check|try|see|think|start|go back|read|reread)', 'let (?:us|me) (?:check|try|see|think|read)', '(?:we|i) (?:should|need to|can|could) (?:check|try|start|think|look|go back|read|reread|test)', 'check', 'plan', 'strategy', 'first (?:we|of|lets?|i)', 'next step', 'step', 'makes sense', 'how do we know', 'are we sure', 'double check', 'makes me think'),
  apply: family('like in', 'same as', 'similar', 'in real life', 'just like', 'kind of like', 'if we (?:use|try|put|apply|add|take|turn|flip|do)', 'use (?:the|it|this|that)', 'we can use', 'lets? use', 'try', 'it works', 'it would (?:be|work|mean)', 'calculate', 'test'),
  positive: family('good', 'great', 'nice', 'cool', 'awesome', 'yay', 'perfect', 'yes', 'love', 'like it', 'fun', 'amazing', 'best', 'haha', 'we did it', 'well done', 'thanks', 'thank you', 'wow', 'excellent', 'happy', 'interesting', 'boom', 'sweet'),
  negative: family('bad', 'hate', 'boring', 'bored', 'annoying', 'stupid', 'dumb', 'ugh', 'worst', 'sucks?', 'shut up', 'sad', 'mad', 'angry', 'tired', 'terrible', 'awful', 'weird', 'oh no', 'oh god', 'damn', 'frustrat(?:ed|ing)', 'impossible', 'too (?:hard|difficult)', 'giv(?:e|ing) up', 'i cant', 'useless', 'whatever', 'pointless')
} as const
export type Move = keyof typeof moveCues
export const moveNames = Object.keys(moveCues) as Move[]

/** The first phrase that a family finds, or null. */
export function find (cue: RegExp, said: Words): string | null {
  cue.lastIndex = 0
  const found = cue.exec(said.line)
  return found ? found[0].trim() : null
}

/** A turn that opens with a question word or with its verb first asks, whether or not there is a "?". */
const opening = /^ (?:(?:so|and|but|wait|okay|oh|well|um|uh|like|then|hey) )*(?:what|why|how|where|when|who|which|is|are|was|were|do|does|did|can|could|should|would|will|am|have|has|isnt|arent|dont|doesnt|shall) /

export function isQuestion (said: Words): boolean {
  return said.asks || opening.test(said.line)
}
