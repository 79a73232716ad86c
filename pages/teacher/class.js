import { chatPanel } from '../chat/panel.js'
import { arrange, h, setText } from '../dom.js'
import '../health.js'
import { heat as heatOf } from '../sdk.js'
import { call, classroom, connect, recall, remember, userOf } from '../server.js'
import { say, sayError } from '../texts.js'
import './card.js'
import { joinPanel } from './code.js'
import * as model from './model.js'
import { results } from './results.js'

/** One class, live. Events change the model; the page is drawn from it, at most once a frame. */
export function showClass (page, session, token) {
  const state = model.createModel()
  model.takeSession(state, session)
  const { sessionId } = session
  model.takeSeries(state, JSON.parse(recall(`series.${sessionId}`) ?? '{}'))
  addEventListener('pagehide', () => remember(`series.${sessionId}`, JSON.stringify(model.seriesOf(state))))
  const said = document.getElementById('announce')
  /** Each in a line of its own, so that nothing is swallowed by what comes right after it. */
  const announce = text => {
    said.append(h('p', {}, text))
    while (said.children.length > 5) said.firstChild.remove()
  }
  const health = document.createElement('cw-health')
  const status = h('span', { class: 'status' })
  const count = h('span', { class: 'count' })
  const moves = h('div', { class: 'moves' })
  const problem = h('p', { role: 'alert', class: 'problem' })
  const shifts = h('div', { class: 'shifts', role: 'status' })
  const lifted = h('div', { class: 'lifted', role: 'list', 'aria-label': say('focus.title') })
  const nobody = h('div', { class: 'nobody' }, h('p', { class: 'large' }, say('focus.none')), h('p', { class: 'hint' }))
  const tiles = h('div', { class: 'tiles', role: 'list', 'aria-label': say('others.title') })
  const others = h('section', {}, h('h2', {}, say('others.title')), tiles)
  const outcome = h('section', { hidden: true })
  const join = h('details', { class: 'panel joining', open: session.status === 'created' }, h('summary', {}, h('span', {}, say('join.title')), h('b', {}, session.code)), joinPanel(session.code))
  const lower = h('div', { class: 'lower' }, h('div', { class: 'rest' }, others, join))
  const sure = h('dialog', { 'aria-label': say('end.sure') }, h('p', { class: 'large' }, say('end.sure')),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'danger', on: { click: () => { sure.close(); void move('end') } } }, say('end.yes')),
      h('button', { type: 'button', on: { click: () => sure.close() } }, say('end.no'))))
  page.replaceChildren(
    h('header', { class: 'top' }, h('div', {}, h('h1', {}, session.topic), h('p', { class: 'facts' }, status, count, health)), moves),
    problem, shifts, outcome,
    h('section', { class: 'focus' }, h('h2', {}, say('focus.title')), nobody, lifted),
    lower, sure)

  const cards = new Map()
  const tileOf = new Map()
  const element = (kept, name, groupId) => {
    if (!kept.has(groupId)) kept.set(groupId, document.createElement(name))
    return kept.get(groupId)
  }
  lifted.addEventListener('act', ({ detail }) => void act(detail))

  let drawing = false
  const redraw = () => {
    if (drawing) return
    drawing = true
    // A page in the background gets no frames, but it still tells a screen reader.
    setTimeout(() => { drawing = false; draw() }, 50)
  }

  function draw () {
    const { session: now } = state
    const seen = model.picture(state)
    const over = now.status === 'ended'
    setText(status, say(`status.${now.status}`))
    status.dataset.status = now.status
    setText(count, say(now.participants.length === 1 ? 'pupils.one' : 'pupils', { count: now.participants.length }))
    drawMoves(now.status)
    arrange(lifted, seen.lifted.map(({ groupId }) => element(cards, 'cw-card', groupId)))
    for (const group of seen.lifted) element(cards, 'cw-card', group.groupId).group = group
    arrange(tiles, seen.others.map(({ groupId }) => element(tileOf, 'cw-tile', groupId)))
    for (const group of seen.others) element(tileOf, 'cw-tile', group.groupId).group = group
    nobody.hidden = seen.lifted.length > 0 || over
    lifted.hidden = seen.lifted.length === 0
    others.hidden = seen.others.length === 0 || over
    nobody.parentElement.hidden = over
    join.hidden = over
    if (over) chat?.end()
    setText(nobody.lastElementChild, say([...state.groups.values()].every(one => one.heat === null) ? 'focus.waiting' : 'focus.none.help'))
    arrange(shifts, state.shifts.map(one => shiftBanner(one)))
    outcome.hidden = !state.results
    if (state.results && !outcome.firstChild) outcome.append(...results(state))
    tell(seen.lifted)
  }

  /** Says a group's rise and its prompt once. */
  function tell (groups) {
    for (const group of groups) {
      const prompt = group.prompts.at(-1)
      const what = prompt ? prompt.promptId : `${group.groupId} ${group.heat}`
      if (state.seen.has(what)) continue
      state.seen.add(what)
      const [top] = model.reasons(group)
      announce(prompt
        ? say('announce.prompt', { group: group.name, message: prompt.message })
        : say('announce.heat', { group: group.name, heat: say(`heat.${group.heat}`), why: top ? say(`signal.${top.signal}`) : '' }))
    }
  }

  const banners = new WeakMap()
  function shiftBanner (shift) {
    if (!banners.has(shift)) {
      const { groupId, metric, previous, current } = shift.metrics
      const values = { group: model.groupOf(state, groupId).name, metric: say(`metric.${metric}`), current }
      const direction = say(Number(current) > Number(previous) ? 'shift.up' : 'shift.down')
      const close = () => { state.shifts = state.shifts.filter(one => one !== shift); draw() }
      banners.set(shift, h('p', { class: 'shift' }, h('span', {}, say(typeof current === 'number' ? 'shift.text' : 'shift.changed', { ...values, direction })),
        h('button', { type: 'button', on: { click: close } }, say('shift.close'))))
    }
    return banners.get(shift)
  }

  let drawnMoves
  function drawMoves (now) {
    if (drawnMoves === now) return
    drawnMoves = now
    const possible = { created: ['start', 'end'], active: ['pause', 'end'], paused: ['resume', 'end'] }[now] ?? []
    const focused = moves.contains(document.activeElement)
    moves.replaceChildren(...possible.map(name => h('button', {
      type: 'button', class: name === 'end' ? 'quiet' : 'main', 'data-do': name, on: { click: () => { if (name === 'end') sure.showModal(); else void move(name) } }
    }, say(`do.${name}`))))
    if (focused) moves.firstElementChild?.focus()
    if (now === 'active') join.open = false
  }

  async function move (name) {
    await attempt(async () => { model.takeSession(state, await call('POST', `/sessions/${sessionId}/${name}`, { token })) })
  }

  async function act ({ prompt, action }) {
    await attempt(async () => {
      if (action !== 'acknowledge') drop(prompt)
      await client.guidance.send('prompt:interact', { promptId: prompt.promptId, action, sessionId }, { ttlMs: 120_000 })
      announce(say(`prompt.done.${action}`))
    })
  }

  function drop ({ groupId, promptId }) {
    const group = model.groupOf(state, groupId)
    group.prompts = group.prompts.filter(one => one.promptId !== promptId)
    draw()
  }

  async function attempt (run) {
    setText(problem, '')
    try {
      await run()
    } catch (error) {
      setText(problem, sayError(error))
    }
    redraw()
  }

  // Names and places of those who join are in no event; one look at the session for all who came meanwhile.
  let looking
  const look = () => {
    looking ??= setTimeout(() => {
      looking = undefined
      void attempt(async () => { model.takeSession(state, await call('GET', `/sessions/${sessionId}`, { token })) })
    }, 500)
  }

  const client = connect(() => token)
  const { sessions, guidance } = client
  // Groups come first: on a phone the chat is closed and counts.
  const chat = classroom ? chatPanel(client, { code: session.code, userId: userOf(token), leads: true, open: globalThis.matchMedia('(min-width: 60rem)').matches }) : undefined
  if (chat) lower.append(chat)
  const change = (channel, event, take) => channel.on(event, payload => {
    if (payload.sessionId !== undefined && payload.sessionId !== sessionId) return
    take(payload)
    redraw()
  })
  change(sessions, 'session:status_changed', ({ status, version }) => { if (version >= state.session.version) Object.assign(state.session, { status, version }) })
  change(sessions, 'group:status_changed', ({ groupId, status, isReady, issueReason = null }) => Object.assign(model.groupOf(state, groupId), { status, isReady, issueReason }))
  change(sessions, 'transcription:group:new', slice => model.takeLine(state, slice))
  change(sessions, 'student:session:joined', look)
  change(sessions, 'group:joined', look)
  change(sessions, 'analytics:finalized', ({ summary }) => { state.results = summary })
  change(guidance, 'guidance:analytics', event => {
    if (event.category === 'tier2-shift') return model.takeShift(state, event)
    const { groupId, attentionScore, why } = event.metrics
    model.takeScore(state, groupId, attentionScore, heatOf(attentionScore), why, event.timestamp)
  })
  change(guidance, 'teacher:alert', prompt => model.takePrompts(state, [prompt]))
  change(guidance, 'teacher:recommendations', prompts => model.takePrompts(state, prompts.filter(one => one.sessionId === sessionId)))
  change(guidance, 'ai:tier1:insight', ({ groupId, insights }) => { model.groupOf(state, groupId).summary = insights.summary })

  // The very first connect is no return.
  let been = false
  let back = false
  let missed = 'missed.filled'
  const came = take => ({ snapshot, lost }) => {
    take(state, snapshot)
    if (lost.length > 0) missed = 'missed.lost'
    redraw()
  }
  sessions.follow('session:join', sessionId, came(model.takeSession))
  guidance.follow('session:guidance:subscribe', sessionId, came(model.takeGuidance))
  guidance.keep('analytics:subscribe', { sessionId, metrics: ['attention', 'tier2-shift'] })
  client.onHealth(now => {
    health.value = now
    if (now === 'reconnecting' || now === 'draining' || (now === 'offline' && been)) back = true
    been ||= now === 'online'
    if (now !== 'online' || !back) return setText(problem, now === 'expired' ? say('expired.help') : '')
    announce(say(missed))
    setText(problem, missed === 'missed.lost' ? say(missed) : '')
    back = false
    missed = 'missed.filled'
  })
  draw()
}
