import { h, setText } from './dom.js'
import { say } from './texts.js'

/** How the connection stands: a dot and a word, said aloud when it changes. */
class Health extends HTMLElement {
  connectedCallback () {
    this.setAttribute('role', 'status')
    this.append(h('span', { class: 'dot', 'aria-hidden': 'true' }), this.word = h('span'))
  }

  set value (health) {
    this.dataset.health = health
    setText(this.word, say(`health.${health}`))
    this.title = say('health.label', { health: say(`health.${health}`) })
  }
}

customElements.define('cw-health', Health)
