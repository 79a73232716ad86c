import { arrange, h } from '../dom.js'
import { say } from '../texts.js'

const modes = ['open', 'moderated', 'teacher-only', 'off']

/** What a teacher has besides: who may write, and what waits. `attempt` says what failed. */
export function leading (live, attempt) {
  const select = h('select', {
    id: 'chat-mode', on: {
      change: () => attempt(() => live.setMode(select.value), () => { select.value = live.chat.mode })
    }
  }, ...modes.map(mode => h('option', { value: mode }, say(`chat.who.${mode}`))))
  const list = h('ul', { class: 'held', 'aria-label': say('chat.held.title') })
  const rows = new Map()

  function row ({ messageId, displayName, message, attachment }) {
    const decide = action => attempt(() => live[action](messageId), error => {
      // Somebody else has decided, or it fell out: it does not wait any more.
      if (error.code === 'MESSAGE_NOT_FOUND') { live.chat.held.delete(messageId); draw() }
    })
    return h('li', {},
      h('p', {}, h('b', {}, displayName), ' ', message, ...(attachment ? [` ${attachment.name}`] : [])),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'main', on: { click: () => decide('approve') } }, say('chat.approve')),
        h('button', { type: 'button', on: { click: () => decide('reject') } }, say('chat.reject'))))
  }

  function draw () {
    const { mode, held, over } = live.chat
    if (mode && document.activeElement !== select) select.value = mode
    select.disabled = over || !mode
    for (const id of rows.keys()) if (!held.has(id)) rows.delete(id)
    for (const [id, message] of held) if (!rows.has(id)) rows.set(id, row(message))
    const focused = list.contains(document.activeElement)
    arrange(list, [...rows.values()])
    list.hidden = held.size === 0
    if (focused && !list.contains(document.activeElement)) (list.querySelector('button') ?? select).focus()
  }

  return { parts: [h('p', { class: 'choice' }, h('label', { for: 'chat-mode' }, say('chat.who')), select), list], draw }
}
