import { h } from './dom.js'

/** A line of talk. */
export function line ({ speaker, text }) {
  return h('li', {}, ...(speaker ? [h('b', {}, speaker), ' '] : []), text)
}
