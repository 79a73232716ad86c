import { h } from './dom.js'
import { call, fromLink, remember } from './server.js'
import { say, sayError } from './texts.js'
import { showClass } from './teacher/class.js'

/** The teacher's page: the class that the link names, else the teacher's classes and a way to open one. */

const page = document.getElementById('page')
const token = fromLink('token')
const sessionId = fromLink('session')
document.title = say('teacher.title')

if (!token) page.append(h('h1', {}, say('teacher.title')), h('p', {}, say('teacher.token')))
else if (sessionId) await enter(sessionId)
else await choose()

async function enter (id) {
  try {
    showClass(page, await call('GET', `/sessions/${encodeURIComponent(id)}`, { token }), token)
    remember('session', id)
  } catch (error) {
    remember('session', null)
    await choose(sayError(error))
  }
}

async function choose (problem = '') {
  const alert = h('p', { role: 'alert', class: 'problem' }, problem)
  const topic = h('input', { id: 'topic', required: true, maxlength: 200, autocomplete: 'off' })
  const groups = h('textarea', { id: 'groups', required: true, rows: 5, placeholder: say('open.groups.example') })
  const own = h('ul', { class: 'classes' })
  page.replaceChildren(
    h('h1', {}, say('teacher.title')), alert,
    h('form', { class: 'panel', on: { submit: event => { event.preventDefault(); void open() } } },
      h('h2', {}, say('open.title')),
      h('label', { for: 'topic' }, say('open.topic')), topic,
      h('label', { for: 'groups' }, say('open.groups')), groups,
      h('button', { class: 'main' }, say('open.do'))),
    h('section', { class: 'panel' }, h('h2', {}, say('open.own')), own))
  try {
    const { sessions } = await call('GET', '/sessions?limit=20', { token })
    const live = sessions.filter(one => one.status !== 'ended')
    own.append(...live.map(one => h('li', {},
      h('button', { type: 'button', on: { click: () => void enter(one.sessionId) } }, one.topic), ` ${say(`status.${one.status}`)}`)))
    if (live.length === 0) own.replaceWith(h('p', { class: 'quiet' }, say('open.none')))
  } catch (error) {
    alert.textContent = sayError(error)
  }

  async function open () {
    try {
      const names = groups.value.split('\n').map(name => name.trim()).filter(name => name !== '')
      const session = await call('POST', '/sessions', { token, body: { topic: topic.value, groups: names.map(name => ({ name })) } })
      await enter(session.sessionId)
    } catch (error) {
      alert.textContent = sayError(error)
    }
  }
}
