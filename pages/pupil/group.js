import { chatPanel } from '../chat/panel.js'
import { h, setText } from '../dom.js'
import '../health.js'
import { line } from '../line.js'
import { call, classroom, connect, microphone } from '../server.js'
import { say, sayError } from '../texts.js'
import { microphoneButton } from './microphone.js'

const keptLines = 50

/** What a pupil sees of the class: what to do now, the own group, what it says. */
export function showGroup (page, session, { token, sessionId, userId, code }) {
  let known = session
  const health = document.createElement('cw-health')
  const status = h('p', { class: 'now', role: 'status' })
  const name = h('h1')
  const members = h('p', { class: 'members' })
  const readiness = h('p', { class: 'members' })
  const problem = h('p', { role: 'alert', class: 'problem' })
  const toggle = h('button', { type: 'button', class: 'main ready', on: { click: () => void setReady() } })
  const talk = h('ol', { class: 'talk' })
  const box = h('div', { class: 'box', role: 'log', tabindex: '0', 'aria-label': say('pupil.talk') }, talk)
  const empty = h('p', { class: 'quiet' }, say('pupil.talk.none'))
  const sound = h('div')
  const group = h('section', { class: 'panel' }, h('p', { class: 'label' }, say('pupil.group')), name, members, readiness, toggle, problem, sound)
  page.replaceChildren(h('header', { class: 'top' }, h('p', { class: 'topic' }, session.topic), health), status, group,
    h('section', { class: 'panel' }, h('h2', {}, say('pupil.talk')), empty, box))

  const own = () => {
    const { groupId } = known.participants.find(one => one.userId === userId) ?? {}
    return known.groups.find(one => one.groupId === groupId)
  }

  let mic
  function draw () {
    const mine = own()
    setText(status, say(`pupil.${known.status}`))
    status.dataset.status = known.status
    setText(name, mine?.name ?? say('pupil.nogroup'))
    const others = known.participants.filter(one => one.userId !== userId && one.groupId === mine?.groupId).map(one => one.displayName)
    setText(members, !mine ? '' : others.length > 0 ? say('pupil.with', { names: others.join(', ') }) : say('pupil.alone'))
    const over = known.status === 'ended' || known.status === 'ending'
    toggle.hidden = !mine || over
    readiness.hidden = !mine || over
    setText(readiness, mine ? say(mine.isReady ? 'pupil.isready' : 'pupil.isnotready') : '')
    setText(toggle, say(mine?.isReady ? 'pupil.notready' : 'pupil.ready'))
    empty.hidden = talk.firstChild !== null
    box.hidden = !empty.hidden
    if (microphone && mine && !mic) sound.append(mic = microphoneButton(client, () => ({ sessionId, groupId: own().groupId })))
    if (mic) {
      mic.hidden = known.status !== 'active'
      if (mic.hidden) mic.stop()
    }
    if (over) chat?.end()
  }

  async function setReady () {
    const mine = own()
    setText(problem, '')
    toggle.disabled = true
    try {
      const ready = !mine.isReady
      const answer = await client.sessions.send('group:status_update', { sessionId, groupId: mine.groupId, status: ready ? 'ready' : 'waiting', isReady: ready })
      Object.assign(mine, answer.group)
    } catch (error) {
      setText(problem, sayError(error))
    }
    toggle.disabled = false
    draw()
  }

  const client = connect(() => token)
  const { sessions } = client
  const chat = classroom ? chatPanel(client, { code, userId }) : undefined
  if (chat) page.append(chat)
  sessions.on('session:status_changed', ({ status, version }) => {
    if (version < known.version) return
    known = { ...known, status, version }
    draw()
  })
  sessions.on('group:status_changed', ({ groupId, status, isReady }) => {
    const group = known.groups.find(one => one.groupId === groupId)
    if (group) Object.assign(group, { status, isReady })
    draw()
  })
  sessions.on('group:joined', async () => {
    known = await call('GET', `/sessions/${sessionId}`, { token })
    draw()
  })
  sessions.on('transcription:group:new', slice => {
    talk.append(line(slice))
    while (talk.children.length > keptLines) talk.firstChild.remove()
    draw()
    box.scrollTop = box.scrollHeight
  })
  sessions.follow('student:session:join', sessionId, ({ snapshot }) => {
    known = snapshot
    draw()
  })
  client.onHealth(now => { health.value = now })
  draw()
}
