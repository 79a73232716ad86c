import { h, setText } from '../dom.js'
import { say } from '../texts.js'

/** Who is here, and how much. */
class People extends HTMLElement {
  #drawn = ''

  connectedCallback () {
    if (this.list) return
    this.append(h('details', {}, this.head = h('summary'), this.list = h('ul')))
  }

  show (people, userId) {
    const drawn = JSON.stringify(people)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    setText(this.head, say(people.length === 1 ? 'here.one' : 'here', { count: people.length }))
    this.list.replaceChildren(...people.map(one => {
      const words = [...(one.userId === userId ? [say('here.you')] : one.role === 'student' ? [] : [say('chat.teacher')]), ...(one.status === 'active' ? [] : [say(`here.${one.status}`)])]
      return h('li', { 'data-status': one.status }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', {}, one.displayName, ...(words.length > 0 ? [h('span', { class: 'words' }, ` ${words.join(', ')}`)] : [])))
    }))
  }
}

customElements.define('cw-people', People)
