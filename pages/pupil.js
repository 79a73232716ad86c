import { h, setText } from './dom.js'
import { showGroup } from './pupil/group.js'
import { call, fromLink, remember } from './server.js'
import { say, sayError } from './texts.js'

/** The pupil's page: a code and a name, then the own group. A reload stays in the class. */

const page = document.getElementById('page')
document.title = say('pupil.title')

const kept = fromLink('pupil')
const inPath = /\/join\/([A-Za-z0-9]{4,10})$/i.exec(location.pathname)?.[1]?.toUpperCase() ?? ''
if (kept) await enter(JSON.parse(kept))
else ask()

async function enter (pupil) {
  try {
    if (inPath && inPath !== pupil.code) throw Object.assign(new Error('another class'), { code: 'SESSION_NOT_FOUND' })
    showGroup(page, await call('GET', `/sessions/${pupil.sessionId}`, { token: pupil.token }), pupil)
  } catch {
    // The class is over, or the link is of another one: join anew.
    remember('pupil', null)
    ask()
  }
}

function ask () {
  const problem = h('p', { role: 'alert', class: 'problem' })
  const code = h('input', { id: 'code', required: true, maxlength: 10, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', value: inPath })
  const name = h('input', { id: 'name', required: true, maxlength: 100, autocomplete: 'given-name' })
  const button = h('button', { class: 'main' }, say('pupil.join'))
  page.replaceChildren(h('form', { class: 'panel', on: { submit: event => { event.preventDefault(); void join() } } },
    h('h1', {}, say('pupil.title')), problem,
    h('label', { for: 'code' }, say('pupil.code')), code,
    h('label', { for: 'name' }, say('pupil.name')), name, button))
  ;(inPath ? name : code).focus()

  async function join () {
    button.disabled = true
    try {
      const { token, session, participant } = await call('POST', '/sessions/join', { body: { code: code.value.trim().toUpperCase(), displayName: name.value } })
      const pupil = { token, sessionId: session.sessionId, userId: participant.userId, code: session.code }
      remember('pupil', JSON.stringify(pupil))
      showGroup(page, session, pupil)
    } catch (error) {
      setText(problem, sayError(error))
      button.disabled = false
    }
  }
}
