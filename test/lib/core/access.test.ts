import t from 'tap'
import {
  actions, admins, defaultAuthorize, demand, groupOf, relationTo, roles, teachers, type Action, type Resource, type Role, type User
} from '../../../lib/core/access.ts'
import { ClasswavesError } from '../../../lib/core/errors.ts'

type SessionFacts = NonNullable<Resource['session']>

/** g1 has a leader and a planned member; `joined` sits in g2; `waiting` joined without a group. */
const session: SessionFacts = {
  sessionId: 's1',
  teacherId: 'owner',
  participants: [{ userId: 'joined', groupId: 'g2' }, { userId: 'waiting', groupId: null }, { userId: 'moved', groupId: 'g2' }],
  groups: [
    { groupId: 'g1', leaderId: 'leader', memberIds: ['planned', 'moved'] },
    { groupId: 'g2', leaderId: null, memberIds: [] }
  ]
}
const user = (userId: string, role: Role, more: Partial<User> = {}): User => ({ userId, role, exp: 2_000_000_000, ...more })

/** Everybody of whom the policy speaks, and how they stand to the session. */
const people: Record<string, [User, ReturnType<typeof relationTo>]> = {
  owner: [user('owner', 'teacher'), 'owner'],
  instructor: [user('owner', 'instructor'), 'owner'],
  colleague: [user('other', 'teacher'), 'none'],
  admin: [user('a', 'admin'), 'admin'],
  superAdmin: [user('a', 'super_admin'), 'admin'],
  worker: [user('w', 'worker'), 'worker'],
  leader: [user('leader', 'student'), 'member'],
  planned: [user('planned', 'student'), 'member'],
  joined: [user('joined', 'student'), 'member'],
  waiting: [user('waiting', 'student'), 'member'],
  bound: [user('guest', 'student', { sessionId: 's1', groupId: 'g1' }), 'member'],
  boundElsewhere: [user('leader', 'student', { sessionId: 's2', groupId: 'g1' }), 'none'],
  stranger: [user('nobody', 'student'), 'none'],
  impostor: [user('owner', 'student'), 'none'],
  parent: [user('joined', 'parent'), 'none'],
  staff: [user('owner', 'staff'), 'none'],
  partner: [user('owner', 'partner'), 'none']
}

const inCharge = ['owner', 'instructor', 'admin', 'superAdmin']
const pupils = ['leader', 'planned', 'joined', 'waiting', 'bound']

/** Written by hand: who may, of the session as a whole, of group g1 and of group g2. */
const expected: Record<Exclude<Action, 'session:create'>, { whole: string[], g1: string[], g2: string[] }> = {
  'session:read': { whole: [...inCharge, ...pupils], g1: [...inCharge, 'leader', 'planned', 'bound'], g2: [...inCharge, 'joined'] },
  'session:manage': { whole: inCharge, g1: inCharge, g2: inCharge },
  'session:transcribe': { whole: [...inCharge, 'worker'], g1: [...inCharge, 'worker'], g2: [...inCharge, 'worker'] },
  'session:emit': { whole: ['worker'], g1: ['worker'], g2: ['worker'] },
  'group:read': { whole: [...inCharge, ...pupils], g1: [...inCharge, 'leader', 'planned', 'bound'], g2: [...inCharge, 'joined'] },
  'group:update': { whole: [...inCharge, ...pupils], g1: [...inCharge, 'leader', 'planned', 'bound'], g2: [...inCharge, 'joined'] },
  'group:lead': { whole: [...inCharge, ...pupils], g1: [...inCharge, 'leader'], g2: inCharge },
  'group:speak': { whole: pupils, g1: ['leader', 'planned', 'bound'], g2: ['joined'] },
  'guidance:read': { whole: inCharge, g1: inCharge, g2: inCharge }
}

const allowed = async (action: Action, resource: Resource): Promise<string[]> => {
  const names: string[] = []
  for (const [name, [who]] of Object.entries(people)) if (await defaultAuthorize(who, action, resource)) names.push(name)
  return names.sort()
}

t.test('how each stands to a session', async t => {
  for (const [name, [who, relation]] of Object.entries(people)) t.equal(relationTo(who, session), relation, name)
})

for (const [action, rows] of Object.entries(expected) as [Exclude<Action, 'session:create'>, typeof expected[keyof typeof expected]][]) {
  t.test(`${action}: exactly those of the table`, async t => {
    t.same(await allowed(action, { session }), [...rows.whole].sort(), 'the session')
    t.same(await allowed(action, { session, groupId: 'g1' }), [...rows.g1].sort(), 'g1')
    t.same(await allowed(action, { session, groupId: 'g2' }), [...rows.g2].sort(), 'g2')
  })
}

t.test('the table has a row for each action', async t => {
  t.same(['session:create', ...Object.keys(expected)].sort(), [...actions].sort())
})

t.test('only teachers and admins create sessions', async t => {
  const may: Role[] = []
  for (const role of roles) if (await defaultAuthorize(user('u', role), 'session:create', {})) may.push(role)
  t.same(may.sort(), ['admin', 'instructor', 'super_admin', 'teacher'])
  t.same([...teachers].sort(), may)
  t.ok(admins.every(role => (teachers as readonly Role[]).includes(role)))
})

t.test('nobody may anything in a session that is not there', async t => {
  for (const action of actions) if (action !== 'session:create') t.same(await allowed(action, {}), [], action)
})

t.test('a token that is bound to another session opens nothing here, enrolled or not', async t => {
  for (const userId of ['leader', 'planned', 'joined', 'guest']) {
    const elsewhere = user(userId, 'student', { sessionId: 's2', groupId: 'g1' })
    for (const action of actions) {
      for (const groupId of [undefined, 'g1', 'g2']) {
        t.notOk(await defaultAuthorize(elsewhere, action, { session, ...(groupId && { groupId }) }), `${userId} ${action} ${groupId}`)
      }
    }
  }
})

t.test('the group of a student: where they sit, else where they were planned, else what the token says', async t => {
  t.equal(groupOf(user('joined', 'student'), session), 'g2')
  t.equal(groupOf(user('moved', 'student'), session), 'g2', 'sitting wins over the plan')
  t.equal(groupOf(user('waiting', 'student', { sessionId: 's1', groupId: 'g1' }), session), null, 'sitting nowhere is an answer too')
  t.equal(groupOf(user('planned', 'student'), session), 'g1')
  t.equal(groupOf(user('leader', 'student'), session), 'g1')
  t.equal(groupOf(user('guest', 'student', { sessionId: 's1', groupId: 'g2' }), session), 'g2')
  t.equal(groupOf(user('guest', 'student', { sessionId: 's1', groupId: 'gone' }), session), null)
  t.equal(groupOf(user('guest', 'student', { sessionId: 's2', groupId: 'g1' }), session), null)
  t.equal(groupOf(user('guest', 'student'), session), null)
})

t.test('demand throws what it was given, on any answer but true', async t => {
  const hidden = new ClasswavesError('SESSION_NOT_FOUND')
  const ask = (answer: unknown): Promise<void> =>
    demand(() => answer as boolean, user('u', 'teacher'), 'session:read', { session }, () => hidden)
  await t.resolves(ask(true))
  await t.resolves(ask(Promise.resolve(true)))
  for (const answer of [false, Promise.resolve(false), undefined, null, 1, 'yes', {}]) await t.rejects(ask(answer), hidden)
  await t.rejects(demand(() => { throw new Error('policy down') }, user('u', 'teacher'), 'session:read', {}, () => hidden), { message: 'policy down' })
})
