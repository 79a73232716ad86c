import { h } from '../dom.js'
import { say } from '../texts.js'
import { groupOf } from './model.js'

/** How an ended class went, group by group. */
export function results (state) {
  const shown = value => value === null ? '–' : String(Math.round(value))
  const head = ['group', 'slices', 'mean', 'max', 'prompts'].map(name => h('th', { scope: 'col' }, say(`results.${name}`)))
  const rows = state.results.groups.map(one => h('tr', {}, h('th', { scope: 'row' }, groupOf(state, one.groupId).name),
    h('td', {}, String(one.slices)), h('td', {}, shown(one.meanAttention)), h('td', {}, shown(one.maxAttention)), h('td', {}, String(one.prompts))))
  return [h('h2', {}, say('results.title')), h('div', { class: 'panel scroll', tabindex: '0', role: 'region', 'aria-label': say('results.title') },
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows)))]
}
