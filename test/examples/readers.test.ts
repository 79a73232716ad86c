import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseTime, showTime } from '../../examples/replay/clock.ts'
import { readTalk } from '../../examples/replay/read.ts'
import { seat, slicesOf } from '../../examples/replay/slices.ts'
import { Complaint, type ClassTalk } from '../../examples/replay/talk.ts'

const readText = async (t: Test, name: string, content: string | Buffer, limit?: number): Promise<ClassTalk[]> =>
  await readTalk(join(t.testdir({ [name]: content }), name), limit)

const complains = async (t: Test, name: string, content: string | Buffer, sentence: RegExp): Promise<void> => {
  await t.rejects(readText(t, name, content), { name: 'Complaint', exitCode: 1, message: sentence }, String(sentence))
}

const lines = (...rows: unknown[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('')

t.test('the class that comes with the package', async t => {
  const [garden, ...more] = await readTalk('examples/class/garden.json')
  t.equal(more.length, 0)
  t.same(garden?.groups.map(group => group.name), ['maple', 'birch', 'cedar', 'willow'])
  t.equal(garden?.goals.length, 3)
  for (const group of garden?.groups ?? []) {
    t.equal(group.members.length, 3)
    t.ok(group.utterances.length > 30, `${group.name} talks`)
    t.equal(group.recordedUntil, undefined, 'a class is heard to its end')
  }
})

t.test('JSON: a class in one document', async t => {
  const utterances = [
    { t: 1, te: 2, groupId: 'a', speakerId: 'Ada', text: ' forty metres ' },
    { t: 0.5, te: 3, groupId: 'b', speakerId: 'Bo', text: 'what?' }
  ]
  const groups = [{ groupId: 'a' }, { groupId: 'b', members: ['Bo', 'Cy'] }]
  t.same(await readText(t, 'class.json', JSON.stringify({ topic: 'Roofs', goals: ['Area'], groups, utterances })), [{
    topic: 'Roofs',
    goals: ['Area'],
    groups: [
      { name: 'a', members: ['Ada'], utterances: [{ start: 1, end: 2, speaker: 'Ada', text: 'forty metres' }] },
      { name: 'b', members: ['Bo', 'Cy'], utterances: [{ start: 0.5, end: 3, speaker: 'Bo', text: 'what?' }] }
    ]
  }])
  const changed = (change: object): string => JSON.stringify({ topic: 'Roofs', groups, utterances, ...change })
  await complains(t, 'class.json', changed({ topic: '' }), /^class\.json has no `topic`\.$/)
  await complains(t, 'class.json', changed({ groups: [] }), /^class\.json: `groups` must list at least one group\.$/)
  await complains(t, 'class.json', changed({ groups: [{}] }), /^class\.json, group 1 has no `groupId`\.$/)
  await complains(t, 'class.json', changed({ groups: [{ groupId: 'a' }, { groupId: 'a' }] }), /^class\.json, group 2: there is a group a before it\.$/)
  await complains(t, 'class.json', changed({ groups: [{ groupId: 'a' }] }), /^class\.json, utterance 2: there is no group "b" in `groups`\.$/)
  await complains(t, 'class.json', changed({ utterances: [] }), /^class\.json has no `utterances`: /)
  await complains(t, 'class.json', changed({ utterances: ['hello'] }), /^class\.json, utterance 1 must be an object\.$/)
  await complains(t, 'class.json', '{\n"topic": "x",\n oops }', /^class\.json, line 3 is not JSON: /)
  await complains(t, 'class.json', '[]', /^class\.json, line 1 must hold an object\.$/)
})

t.test('JSONL: a recording a line, long and short utterances', async t => {
  const task = { topic: 'Cards', goals: ['Test the rule'] }
  const long = {
    id: 'one',
    ...task,
    utterances: [
      { t: 1, te: 2, s: 'I', role: 'adult', text: 'begin' }, { t: 3, s: 'Ada', role: 'student', text: 'turn the card with the vowel' }
    ]
  }
  const short = { id: 'two', ...task, members: ['P1', 'P2'], utterances: [[0, 4.5, 'P1', 0, 'yes', 1], [5, 6, 'R', 1, 'well done']] }
  const other = { id: 'three', topic: 'Weights', utterances: [{ t: 0, te: 1, text: 'nobody said who' }] }
  const classes = await readText(t, 'talk.jsonl', lines(long, short) + '\n' + lines(other))
  t.same(classes, [
    {
      ...task,
      groups: [
        {
          name: 'one',
          members: ['Ada'],
          recordedUntil: 5.4,
          utterances: [{ start: 1, end: 2, speaker: 'I', text: 'begin' }, { start: 3, end: 5.4, speaker: 'Ada', text: 'turn the card with the vowel' }]
        },
        {
          name: 'two',
          members: ['P1', 'P2'],
          recordedUntil: 6,
          utterances: [{ start: 0, end: 4.5, speaker: 'P1', text: 'yes' }, { start: 5, end: 6, speaker: 'R', text: 'well done' }]
        }
      ]
    },
    { topic: 'Weights', goals: [], groups: [{ name: 'three', members: [], recordedUntil: 1, utterances: [{ start: 0, end: 1, text: 'nobody said who' }] }] }
  ], 'adults speak but are no members; the same task is one class')

  const many = Array.from({ length: 19 }, (_, index) => ({ ...short, id: `g${index}` }))
  t.same((await readText(t, 'many.jsonl', lines(...many))).map(one => one.groups.length), [8, 8, 3], 'a class has eight groups at most')
  t.same((await readText(t, 'many.jsonl', lines(...many), 10)).map(one => one.groups.length), [8, 2], 'limit counts groups')
  t.same((await readText(t, 'late.jsonl', lines(short) + 'oops\n', 1)).length, 1, 'what is past the limit is not read')

  await complains(t, 'talk.jsonl', lines(short) + '\n{oops\n', /^talk\.jsonl, line 3 is not JSON: /)
  await complains(t, 'talk.jsonl', lines(short, { question: 'why' }), /^talk\.jsonl, line 2 has no `utterances`: it is not a recording of talk\.$/)
  await complains(t, 'talk.jsonl', lines({ utterances: [[0, 1, 'A', 0, 'hm']] }), /^talk\.jsonl, line 1 has no `topic`\.$/)
  await complains(t, 'talk.jsonl', lines({ ...short, members: 'P1' }), /^talk\.jsonl, line 1: `members` must be a list of texts\.$/)
  await complains(t, 'talk.jsonl', '\n\n', /^talk\.jsonl has no line with a recording\.$/)
  const said = (utterance: unknown): string => lines({ ...task, utterances: [[0, 1, 'A', 0, 'hm'], utterance] })
  await complains(t, 'talk.jsonl', said(['x', 1, 'A', 0, 'hm']), /^talk\.jsonl, line 1, utterance 2: the start time must be a number of seconds, not "x"\.$/)
  await complains(t, 'talk.jsonl', said([-1, 1, 'A', 0, 'hm']), /start time must be a number of seconds, not -1/)
  await complains(t, 'talk.jsonl', said([3, 2, 'A', 0, 'hm']), /utterance 2: it ends at 2 s, before it starts at 3 s\.$/)
  await complains(t, 'talk.jsonl', said([3, 'x', 'A', 0, 'hm']), /the end time must be a number of seconds, not "x"/)
  await complains(t, 'talk.jsonl', said([3, 4, 7, 0, 'hm']), /the speaker must be a name/)
  await complains(t, 'talk.jsonl', said([3, 4, 'A', 0, '  ']), /the text is missing/)
  await complains(t, 'talk.jsonl', said([3, 4, 'A', 0, 'x'.repeat(10_001)]), /the text has 10001 characters; a slice holds 10000/)
  await complains(t, 'talk.jsonl', said(7), /utterance 2 must be an object or a list/)
})

t.test('CSV: header, quotes, three delimiters, three ways to tell the time', async t => {
  const csv = '\ufeffStart Time,End,Speaker,Group,Text\r\n0:01,0:02.5,Ada,a,"I said ""forty"",\r\nyes"\r\n\r\n3,4,Bo,b,no\r\n'
  t.same(await readText(t, 'roofs.csv', csv), [{
    topic: 'roofs',
    goals: [],
    groups: [
      { name: 'a', members: ['Ada'], utterances: [{ start: 1, end: 2.5, speaker: 'Ada', text: 'I said "forty",\r\nyes' }] },
      { name: 'b', members: ['Bo'], utterances: [{ start: 3, end: 4, speaker: 'Bo', text: 'no' }] }
    ]
  }])
  const [plain] = await readText(t, 'plain.csv', 't;text\n2,5;well then we should\n')
  t.same(plain?.groups, [{ name: 'group', members: [], utterances: [{ start: 2.5, end: 4.1, text: 'well then we should' }] }])
  const [dated] = await readText(t, 'dated.csv', 'text\tstart\nlast\t2026-03-02T09:00:07Z\nfirst\t2026-03-02T10:00:00+01:00')
  t.same(dated?.groups[0]?.utterances.map(({ start, text }) => [text, start]), [['last', 7], ['first', 0]], 'dates count from the first one')

  await complains(t, 'x.csv', '', /^x\.csv is empty\.$/)
  await complains(t, 'x.csv', 'start,text\n', /^x\.csv has a header and no rows\.$/)
  await complains(t, 'x.csv', 'start,words\n1,hm\n', /^x\.csv, line 1: the header has no column text /)
  await complains(t, 'x.csv', 'start,text\n1,hm\n2\n', /^x\.csv, line 3 has 1 fields, the header has 2\.$/)
  await complains(t, 'x.csv', 'start,text\n1,"a\nb"\nsoon,hm\n', /^x\.csv, line 4: "soon" is not a time /)
  await complains(t, 'x.csv', 'start,text\n1,hm\n2,"oh\nno\n', /^x\.csv, line 3: a quote is opened and never closed\.$/)
  await complains(t, 'x.csv', 'start,text\n1,hm\n2026-03-02T09:00:07Z,hm\n', /^x\.csv, line 3: dates and seconds cannot stand in one file\.$/)
  await complains(t, 'x.csv', 'start,end,text\n5,4,hm\n', /^x\.csv, line 2: it ends at 4 s, before it starts at 5 s\.$/)
})

t.test('WebVTT: voices, markup, notes', async t => {
  const vtt = [
    'WEBVTT - lesson', 'Kind: captions', '', 'STYLE', '::cue { color: red }', '', 'NOTE one', 'two', '',
    'cue-1', '00:01.000 --> 00:04.500 align:start', '<v.loud Ada Byron>I <i>think</i>', 'it is &lt;forty&gt; &amp; more</v>', '',
    '01:00:05.000 --> 01:00:06.000', '- who was that', '<v Bo>me</v> <v Ada Byron>no, <00:01:02.000>me</v>', '',
    '00:07.000 --> 00:08.000', '<v Bo></v>'
  ].join('\r\n')
  t.same(await readText(t, 'table 3.vtt', vtt), [{
    topic: 'table 3',
    goals: [],
    groups: [{
      name: 'table 3',
      members: ['Ada Byron', 'Bo'],
      utterances: [
        { start: 1, end: 4.5, speaker: 'Ada Byron', text: 'I think it is <forty> & more' },
        { start: 3605, end: 3606, text: '- who was that' },
        { start: 3605, end: 3606, speaker: 'Bo', text: 'me' },
        { start: 3605, end: 3606, speaker: 'Ada Byron', text: 'no, me' }
      ]
    }]
  }])
  await complains(t, 'x.vtt', '1\n00:01.000 --> 00:02.000\nhm', /^x\.vtt, line 1: a WebVTT file begins with WEBVTT\.$/)
  await complains(t, 'x.vtt', 'WEBVTT\n\n00:01.000 --> soon\nhm', /^x\.vtt, line 3 is not a cue timing/)
  await complains(t, 'x.vtt', 'WEBVTT\n\nid\n00:03.000 --> 00:02.000\nhm', /^x\.vtt, line 4: it ends at 2 s/)
  await complains(t, 'x.vtt', 'WEBVTT\n\nNOTE nothing', /^x\.vtt has no cue with text\.$/)
})

t.test('files that cannot be read', async t => {
  const dir = t.testdir({ 'folder.json': {}, 'talk.txt': 'hm' })
  await t.rejects(readTalk(join(dir, 'none.json')), new Complaint(`${join(dir, 'none.json')} cannot be read: there is no such file.`))
  await t.rejects(readTalk(join(dir, 'folder.json')), { message: /folder\.json cannot be read: it is a folder\.$/ })
  await t.rejects(readTalk(join(dir, 'talk.txt')), { message: /the name must end in one of \.json, \.jsonl, \.ndjson, \.csv, \.vtt\.$/ })
  await t.rejects(readText(t, 'x.csv', Buffer.from('start,text\n1,\xfc\n', 'latin1')), { message: /x\.csv is not UTF-8 text\.$/ })
})

t.test('times', async t => {
  const seconds = (text: string): number | undefined => parseTime(text)?.seconds
  t.same(['754.5', ' 0 ', '12:34.5', '00:12:34,500', '1:02:03'].map(seconds), [754.5, 0, 754.5, 754.5, 3723])
  t.same(['', 'soon', '1:60', '61:00:61', '-1', '1e3', 'NaN', '2026-13-45T99:00'].map(seconds), Array(8).fill(undefined))
  t.same([0, 59.6, 754, 3723, -1].map(showTime), ['00:00', '01:00', '12:34', '1:02:03', '00:00'])
})

t.test('slices carry ids that a server takes, and real times', async t => {
  const said = (start: number, speaker: string) => ({ start, end: start + 1, speaker, text: 'hm' })
  const talk: ClassTalk = {
    topic: 'x',
    goals: [],
    groups: [
      { name: 'a', members: ['A', 'Project Manager'], utterances: [said(5, 'A'), said(0, 'Project Manager')] },
      { name: 'b', members: ['A', '\u00c9'], utterances: [said(2, 'A'), said(3, 'B'), said(4, '\u00c9')] }
    ]
  }
  const seats = seat(talk)
  t.same(seats.map(map => [...map]), [
    [['A', 'A'], ['Project Manager', 'Project_Manager']],
    [['A', 'A-2'], ['\u00c9', '_'], ['B', 'B']]
  ], 'nobody sits in two groups')
  const slices = slicesOf(talk, ['g1', 'g2'], seats, Date.parse('2026-03-02T09:00:00Z')).map(({ slice }) => slice)
  t.same(slices.map(slice => [slice.groupId, slice.speaker, slice.startedAt]), [
    ['g1', 'Project_Manager', '2026-03-02T09:00:00.000Z'],
    ['g2', 'A-2', '2026-03-02T09:00:02.000Z'],
    ['g2', 'B', '2026-03-02T09:00:03.000Z'],
    ['g2', '_', '2026-03-02T09:00:04.000Z'],
    ['g1', 'A', '2026-03-02T09:00:05.000Z']
  ])
  t.equal(slices[0]?.endedAt, '2026-03-02T09:00:01.000Z')
  t.equal(new Set(slices.map(slice => slice.id)).size, slices.length, 'each has an id of its own')
})
