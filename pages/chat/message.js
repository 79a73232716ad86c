import { h, setText } from '../dom.js'
import { say } from '../texts.js'

/** Signs that the page offers; the server takes some more. */
const signs = ['👍', '❤️', '😂', '👏', '❓', '🙋']

/** One message: who, when, what, what others think of it, and what the reader may do with it. */
class Message extends HTMLElement {
  #drawn = ''

  /** Bubbles up as the event `act`, with what is to be done. */
  #act (action, ...rest) {
    this.#toggle(false)
    this.dispatchEvent(new CustomEvent('act', { bubbles: true, detail: [action, this.known.messageId, ...rest] }))
  }

  connectedCallback () {
    if (this.by) return
    this.setAttribute('role', 'listitem')
    this.append(
      h('p', { class: 'by' }, this.by = h('b'), this.rank = h('span', { class: 'rank' }), this.time = h('time'), this.note = h('span')),
      this.more = h('button', { type: 'button', class: 'more', 'aria-expanded': 'false', on: { click: () => this.#toggle(this.moves.hidden) } }, '⋯'),
      this.text = h('p', { class: 'text' }), this.file = h('div'), this.signs = h('div', { class: 'signs' }),
      this.moves = h('div', { class: 'moves', hidden: true })
    )
    this.addEventListener('keydown', event => { if (event.key === 'Escape' && !this.moves.hidden) this.#toggle(false) })
  }

  #toggle (open) {
    if (this.moves.contains(document.activeElement)) this.more.focus()
    this.moves.hidden = !open
    this.more.setAttribute('aria-expanded', String(open))
  }

  /** @param may what the reader may do: `edit`, `remove`, `react`; @param mine signs that they gave */
  show (message, { may, mine }) {
    this.known = message
    const drawn = JSON.stringify([message, may, mine])
    if (drawn === this.#drawn || this.editing) return
    this.#drawn = drawn
    const { displayName, role, timestamp, message: text, deleted, editedAt, attachment, reactions } = message
    this.classList.toggle('gone', deleted === true)
    setText(this.by, displayName)
    setText(this.rank, role === 'student' ? '' : say('chat.teacher'))
    this.time.dateTime = timestamp
    setText(this.time, new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }))
    setText(this.note, editedAt ? say('chat.edited') : '')
    setText(this.text, deleted ? say('chat.deleted') : text)
    this.text.hidden = this.text.textContent === ''
    this.file.replaceChildren(...(attachment
      ? [h('button', { type: 'button', on: { click: () => this.#act('attachment', attachment.name) } }, say('chat.file', { name: attachment.name, size: Math.ceil(attachment.size / 1024) }))]
      : []))
    const focused = this.signs.contains(document.activeElement)
    this.signs.replaceChildren(...Object.entries(reactions).map(([sign, count]) => this.#sign(sign, may.react, mine.includes(sign), count)))
    const own = [...(may.edit ? [this.#button('edit', () => this.#edit())] : []), ...(may.remove ? [this.#button('remove', () => this.#act('remove'))] : [])]
    this.moves.replaceChildren(...(may.react ? signs.map(sign => this.#sign(sign, true, mine.includes(sign))) : []), ...own)
    this.more.hidden = this.moves.firstChild === null
    this.more.setAttribute('aria-label', say('chat.more', { name: displayName }))
    if (focused && !this.contains(document.activeElement)) (this.signs.firstElementChild ?? this.more).focus()
  }

  #sign (sign, enabled, pressed, count) {
    const label = count === undefined ? say(`sign.${sign}`) : say('chat.sign', { sign: say(`sign.${sign}`), count })
    return h('button', { type: 'button', class: 'sign', 'aria-pressed': String(pressed), 'aria-label': label, disabled: !enabled, on: { click: () => this.#act('react', sign) } },
      count === undefined ? sign : `${sign} ${count}`)
  }

  #button (name, click) { return h('button', { type: 'button', on: { click } }, say(`chat.${name}`)) }

  #edit () {
    this.editing = true
    this.#toggle(false)
    const input = h('input', { 'aria-label': say('chat.edit'), maxlength: 2000, autocomplete: 'off' })
    input.value = this.known.message
    const done = () => {
      this.editing = false
      this.#drawn = ''
      form.replaceWith(this.text)
      this.dispatchEvent(new CustomEvent('act', { bubbles: true, detail: ['redraw'] }))
      this.more.focus()
    }
    const form = h('form', {
      class: 'write', on: {
        submit: event => {
          event.preventDefault()
          if (input.value.trim() !== '' && input.value !== this.known.message) this.#act('edit', input.value)
          done()
        },
        keydown: event => { if (event.key === 'Escape') done() }
      }
    }, input, h('button', { class: 'main' }, say('chat.save')), h('button', { type: 'button', on: { click: done } }, say('chat.cancel')))
    this.text.replaceWith(form)
    input.focus()
  }
}

customElements.define('cw-message', Message)
