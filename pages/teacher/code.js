import { h, svg } from '../dom.js'
import { qr } from '../qr.js'
import { say } from '../texts.js'

/** The join code in letters that the last row can read, and as a QR code. */
export function joinPanel (code) {
  const address = `${location.origin}/join/${code}`
  const grid = qr(address)
  const panel = h('div', { class: 'join' },
    h('p', { class: 'code', 'aria-label': [...code].join(' ') }, code),
    h('p', {}, say('join.at', { address: `${location.host}/join` })))
  if (grid) {
    const size = grid.length + 8
    const dark = grid.flatMap((row, y) => row.flatMap((isDark, x) => isDark ? [`M${x + 4},${y + 4}h1v1h-1z`] : []))
    panel.prepend(svg('svg', { viewBox: `0 0 ${size} ${size}`, class: 'qr', role: 'img', 'aria-label': say('join.qr', { address }), 'shape-rendering': 'crispEdges' },
      svg('rect', { width: size, height: size, fill: '#fff' }), svg('path', { d: dark.join(''), fill: '#000' })))
  }
  return panel
}
