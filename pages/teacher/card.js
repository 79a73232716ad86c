import { arrange, h, setText } from '../dom.js'
import { line } from '../line.js'
import { say } from '../texts.js'
import { reasons } from './model.js'
import { spark } from './spark.js'

/** A group that needs the teacher: how much, since when, why, and what to say. */
class Card extends HTMLElement {
  #prompts = new Map()
  #drawn = ''

  connectedCallback () {
    if (this.heading) return
    this.setAttribute('role', 'listitem')
    this.append(
      h('div', { class: 'head' },
        h('div', {}, this.heading = h('h3', { tabindex: '-1' }), this.heat = h('span', { class: 'heat' })),
        this.score = h('div', { class: 'score' })),
      this.trend = h('div', { class: 'trend' }),
      this.issue = h('p', { class: 'issue', hidden: true }),
      this.summary = h('p', { class: 'summary' }),
      this.why = h('ul', { class: 'why', 'aria-label': say('why.title') }),
      this.prompts = h('div', { class: 'prompts' }),
      this.details = h('details', { on: { toggle: () => this.#drawTalk() } },
        h('summary', {}, say('talk.show')), this.talk = h('ol', { class: 'talk' }))
    )
  }

  set group (group) {
    this.known = group
    this.dataset.heat = group.heat ?? 'none'
    this.dataset.group = group.groupId
    setText(this.heading, group.name)
    setText(this.heat, say(`heat.${group.heat ?? 'none'}`))
    setText(this.score, String(group.score ?? '–'))
    this.score.setAttribute('title', say('score.label', { score: group.score ?? 0 }))
    this.issue.hidden = group.status !== 'issue'
    setText(this.issue, `${say('issue.label')}${group.issueReason ? `: ${group.issueReason}` : ''}`)
    setText(this.summary, group.summary)
    const drawn = JSON.stringify([group.series, group.why])
    if (drawn !== this.#drawn) {
      this.#drawn = drawn
      this.trend.replaceChildren(spark(group))
      this.why.replaceChildren(...reasons(group).map(({ signal, contribution }) => {
        const bar = h('span', { class: 'bar', 'aria-hidden': 'true' })
        bar.style.setProperty('--share', `${Math.min(100, Math.round(contribution))}%`)
        return h('li', {}, bar, h('span', {}, say(`signal.${signal}`)), h('span', { class: 'points' }, say('points.some', { points: Math.round(contribution), score: group.score ?? 0 })))
      }))
    }
    this.#drawPrompts(group)
    this.#drawTalk()
  }

  #drawPrompts ({ prompts }) {
    const newest = prompts.slice(-1)
    for (const id of this.#prompts.keys()) if (!newest.some(one => one.promptId === id)) this.#prompts.delete(id)
    for (const prompt of newest) if (!this.#prompts.has(prompt.promptId)) this.#prompts.set(prompt.promptId, this.#prompt(prompt))
    const held = this.prompts.contains(document.activeElement)
    arrange(this.prompts, [...this.#prompts.values()])
    // The button that was pressed has gone with its prompt; the keyboard stays at the group.
    if (held && !this.contains(document.activeElement)) this.heading.focus()
  }

  #prompt (prompt) {
    const act = action => this.dispatchEvent(new CustomEvent('act', { bubbles: true, detail: { prompt, action, name: this.known.name } }))
    const quotes = (prompt.evidence ?? []).slice(-2)
    const seen = h('button', { type: 'button', on: { click: () => { act('acknowledge'); seen.disabled = true } } }, say('prompt.acknowledge'))
    return h('div', { role: 'group', class: `prompt ${prompt.priority}`, 'data-prompt': prompt.promptId, 'aria-label': say('prompt.title') },
      h('p', { class: 'lead' }, h('strong', {}, say('prompt.title')), h('span', { class: 'timing' }, say(`prompt.${prompt.suggestedTiming}`))),
      h('p', { class: 'message' }, prompt.message),
      ...(quotes.length > 0 ? [h('p', { class: 'heard' }, say('prompt.heard'), ...quotes.map(quote => h('q', {}, quote)))] : []),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'main', on: { click: () => act('use') } }, say('prompt.use')), seen,
        h('button', { type: 'button', on: { click: () => act('dismiss') } }, say('prompt.dismiss'))))
  }

  #drawTalk () {
    if (!this.details.open) return
    const lines = this.known.lines.slice(-8)
    const drawn = JSON.stringify(lines)
    if (drawn === this.talkDrawn) return
    this.talkDrawn = drawn
    this.talk.replaceChildren(...(lines.length === 0 ? [h('li', { class: 'quiet' }, say('talk.none'))] : lines.map(line)))
  }
}

/** A group that gets on: its name, quietly. */
class Tile extends HTMLElement {
  connectedCallback () {
    if (this.name) return
    this.setAttribute('role', 'listitem')
    this.append(
      h('details', { on: { toggle: event => { if (event.target.open) this.#drawTalk() } } },
        this.summary = h('summary', {}, h('span', { class: 'dot', 'aria-hidden': 'true' }), this.name = h('span', { class: 'name' }), this.state = h('span', { class: 'state' })),
        this.talk = h('ol', { class: 'talk' })))
  }

  set group (group) {
    this.known = group
    this.dataset.group = group.groupId
    this.dataset.heat = group.heat ?? 'none'
    setText(this.name, group.name)
    const words = [group.heat ? say(`heat.${group.heat}`) : group.isReady ? say('ready') : say('heat.none'), say(group.members === 1 ? 'pupils.one' : 'pupils', { count: group.members })]
    setText(this.state, words.join(' · '))
    if (this.firstElementChild.open) this.#drawTalk()
  }

  #drawTalk () {
    const lines = this.known.lines.slice(-8)
    this.talk.replaceChildren(...(lines.length === 0 ? [h('li', { class: 'quiet' }, say('talk.none'))] : lines.map(line)))
  }
}

customElements.define('cw-card', Card)
customElements.define('cw-tile', Tile)
