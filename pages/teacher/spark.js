import { svg } from '../dom.js'
import { say } from '../texts.js'
import { trend } from './model.js'

const [width, height, span] = [240, 44, 600_000]

/** Attention over the last ten minutes; the line at 70 is where `Focus now` begins. */
export function spark (group) {
  const end = group.series.at(-1)?.at ?? 0
  const first = group.series[0]
  const x = at => Math.round(10 * (width - 4 - (end - at) / span * (width - 4))) / 10
  const y = score => Math.round(10 * (height - 3 - score / 100 * (height - 6))) / 10
  const points = group.series.map(({ at, score }) => `${x(at)},${y(score)}`)
  const label = say('spark.label', { trend: say(`trend.${trend(group)}`), score: group.score ?? 0 })
  const image = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'spark', role: 'img', 'aria-label': label, preserveAspectRatio: 'none' },
    svg('line', { class: 'limit', x1: 0, x2: width, y1: y(70), y2: y(70) }))
  if (first) {
    image.append(
      svg('polygon', { class: 'area', points: `${x(first.at)},${height} ${points.join(' ')} ${x(end)},${height}` }),
      svg('polyline', { class: 'line', points: points.join(' ') }),
      // Of no length, with round ends: a dot that is not stretched with the rest.
      svg('line', { class: 'now', x1: x(end), x2: x(end), y1: y(group.score ?? 0), y2: y(group.score ?? 0) })
    )
  }
  return image
}
