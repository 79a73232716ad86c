import t from 'tap'
import { confusionCues, find, isQuestion } from '../../../../lib/guidance/embedded/cues.ts'
import { stem } from '../../../../lib/guidance/embedded/stem.ts'
import { words } from '../../../../lib/guidance/embedded/words.ts'

t.test('one spelling for what recognisers write three ways', async t => {
  for (const text of ["I don't know", 'i don t know', 'i dont know', 'I DON’T KNOW', 'i don\u02bct know']) {
    const said = words(text)
    t.same(said.tokens, ['i', 'dont', 'know'], text)
    t.ok(find(confusionCues.notKnow, said), text)
  }
  t.same(words("What's that?").tokens, ['what', 'is', 'that'])
  t.same(words('whats that').tokens, ['what', 'is', 'that'])
  t.same(words("I'm sure we're right").tokens, words('im sure we re right').tokens)
})

t.test('placeholders are no words', async t => {
  t.same(words('[inaudible] the <unk> bed Student K').tokens, ['the', 'bed'])
  t.same(words('[crosstalk]').tokens, [])
})

t.test('questions without a question mark', async t => {
  for (const text of ['what do we do now', 'so how does it work', 'can you help me', 'is this right?']) t.ok(isQuestion(words(text)), text)
  for (const text of ['we put it here', 'the bed is long']) t.notOk(isQuestion(words(text)), text)
})

t.test('length is bounded, whatever comes', async t => {
  t.ok(words('a'.repeat(65_536)).tokens.length === 0, '64 KB of one letter is not a word')
  t.ok(words('word '.repeat(20_000)).tokens.length <= 160)
  t.ok(words('\ufdfa'.repeat(5000)).line.length < 3000, 'a letter that decomposes into eighteen')
  t.same(words('').tokens, [])
  t.same(words('👩‍👩‍👧‍👦 🎉🎉').tokens, [])
  t.same(words('السلام عليكم').tokens.length, 2)
  t.ok(words('ما هذا؟').asks)
  t.doesNotThrow(() => words('\ud83d lone \udc00 surrogates'))
})

t.test('stems: light, and stable for what is no English', async t => {
  const same: string[][] = [['plant', 'plants', 'planted', 'planting'], ['bed', 'beds'], ['stop', 'stopped', 'stopping']]
  for (const family of same) t.equal(new Set(family.map(stem)).size, 1, family.join(' '))
  t.equal(stem('constructor'), stem('constructors'))
  t.equal(stem('漢字'), '漢字')
  t.not(stem('bed'), stem('bad'))
})
