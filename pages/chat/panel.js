import { arrange, h, setText } from '../dom.js'
import { say, sayError } from '../texts.js'
import { leading } from './lead.js'
import { follow } from './live.js'
import './message.js'
import { mayWrite, messagesOf, peopleOf, typists } from './model.js'
import './people.js'

/**
 * The chat of a class and who is here, in a panel that can be closed; then it counts what came.
 * @param who the `code` of the class, the `userId` of the reader, whether they lead the class (`leads`), and `open`
 */
export function chatPanel (client, { code, userId, leads = false, open = true }) {
  const fresh = h('span', { class: 'fresh' })
  const waiting = h('span', { class: 'waiting', role: 'status' })
  const people = document.createElement('cw-people')
  const mode = h('p', { class: 'quiet', role: 'status' })
  const older = h('button', { type: 'button', on: { click: () => attempt(() => live.older()) } }, say('chat.older'))
  const list = h('div', { class: 'messages', role: 'list' })
  // A teacher's eyes and ears are with the groups: there the chat is not read out by itself.
  const box = h('div', { class: 'box', role: 'log', tabindex: '0', 'aria-label': say('chat.title'), 'aria-live': leads ? 'off' : 'polite', 'aria-busy': 'true' }, older, list)
  const none = h('p', { class: 'quiet' }, say('chat.none'))
  const typing = h('p', { class: 'quiet typing' })
  const problem = h('p', { role: 'alert', class: 'problem' })
  const input = h('input', { 'aria-label': say('chat.write'), placeholder: say('chat.write'), maxlength: 2000, autocomplete: 'off', on: { input: () => { if (input.value !== '') live.typing() } } })
  const form = h('form', { class: 'write', on: { submit: event => { event.preventDefault(); void write() } } }, input, h('button', { class: 'main' }, say('chat.send')))
  const live = follow(client, { code, userId, leads }, redraw, error => setText(problem, sayError(error)))
  const { chat } = live
  const lead = leads ? leading(live, attempt) : { parts: [], draw () {} }
  const panel = h('details', { class: 'panel chat', open, on: { toggle: event => { if (event.target === panel) redraw() }, act: ({ detail }) => act(...detail) } },
    h('summary', {}, h('h2', {}, say('chat.title')), fresh, waiting),
    h('div', { class: 'inside' }, ...lead.parts, people, box, none, typing, mode, problem, form))

  const rows = new Map()
  let drawing = false
  function redraw (message) {
    if (message && !panel.open) chat.unread++
    if (drawing) return
    drawing = true
    setTimeout(() => { drawing = false; draw() }, 30)
  }

  function draw () {
    if (panel.open) chat.unread = 0
    setText(fresh, chat.unread > 0 ? say('chat.unread', { count: chat.unread }) : '')
    setText(waiting, chat.held.size > 0 ? say('chat.waiting', { count: chat.held.size }) : '')
    people.show(peopleOf(chat), userId)
    const writes = mayWrite(chat, leads)
    // A teacher chose the mode and sees it above; a pupil is told in plain words.
    const sentence = chat.over ? 'chat.over' : chat.mode && (!leads || chat.mode === 'off') ? `chat.mode.${chat.mode}` : ''
    setText(mode, sentence && say(sentence))
    mode.hidden = sentence === ''
    form.hidden = !writes
    const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40
    const messages = messagesOf(chat)
    for (const id of rows.keys()) if (!chat.messages.has(id)) rows.delete(id)
    for (const { messageId } of messages) if (!rows.has(messageId)) rows.set(messageId, document.createElement('cw-message'))
    arrange(list, [...messages.map(one => rows.get(one.messageId)), ...chat.pending.map(pendingRow)])
    for (const message of messages) rows.get(message.messageId).show(message, rightsOf(message, writes))
    older.hidden = chat.older === null
    none.hidden = list.firstChild !== null
    box.hidden = !none.hidden
    box.setAttribute('aria-busy', String(!chat.loaded))
    const names = typists(chat)
    setText(typing, names.length === 0 ? '' : names.length > 2 ? say('typing.many') : say(names.length === 1 ? 'typing.one' : 'typing.two', { first: names[0], second: names[1] }))
    lead.draw()
    if (wasAtEnd) box.scrollTop = box.scrollHeight
  }

  function rightsOf ({ messageId, userId: author, deleted }, writes) {
    const own = author === userId
    const mine = [...chat.mine].filter(one => one.startsWith(`${messageId} `)).map(one => one.slice(messageId.length + 1))
    // What an approved message says now cannot be changed without approval; the server sees to that as well.
    return { mine, may: { edit: own && !deleted && writes && (leads || chat.mode === 'open'), remove: (own || leads) && !deleted, react: !deleted && !chat.over } }
  }

  const pendingRows = new WeakMap()
  function pendingRow (own) {
    if (!pendingRows.has(own)) pendingRows.set(own, h('div', { class: 'pending', role: 'listitem' }, h('p', { class: 'text' }, own.message), h('p', { class: 'quiet' })))
    const row = pendingRows.get(own)
    setText(row.lastElementChild, say(`chat.${own.state}`))
    return row
  }

  async function write () {
    const text = input.value.trim()
    if (text === '') return
    input.value = ''
    box.scrollTop = box.scrollHeight
    await attempt(() => live.say(text), () => { input.value ||= text })
  }

  function act (action, messageId, ...rest) {
    if (action === 'redraw') return redraw()
    void attempt(async () => {
      const answer = await live[action](messageId, ...rest)
      if (action === 'attachment') save(answer)
    })
  }

  /** Says what failed, then does what is to be done about it. */
  async function attempt (run, otherwise = () => {}) {
    setText(problem, '')
    try {
      await run()
    } catch (error) {
      setText(problem, sayError(error))
      otherwise(error)
    }
    redraw()
  }

  /** After the end of a class its chat can be read. */
  return Object.assign(panel, { end () { chat.over = true; redraw() } })
}

/** Saved, never shown: what somebody sent is of whatever kind it says. */
function save ({ name, data }) {
  const url = URL.createObjectURL(new Blob([data], { type: 'application/octet-stream' }))
  h('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
