/** Whole numbers of which most follow on each other, as ranges in their order. */
export type Ranges = [from: number, to: number][]

/** So many ranges are kept; of more, what lies between the first two counts as there. */
export const rangesBound = 20

/** Adds a number to the ranges; false when it was there. */
export function addTo (ranges: Ranges, number: number): boolean {
  const found = ranges.findIndex(([, to]) => to >= number)
  const at = found < 0 ? ranges.length : found
  const [before, after] = [ranges[at - 1], ranges[at]]
  if (after && after[0] <= number) return false
  const follows = before?.[1] === number - 1
  const precedes = after?.[0] === number + 1
  const range: Ranges[number] = [follows ? before[0] : number, precedes ? after[1] : number]
  ranges.splice(at - Number(follows), Number(follows) + Number(precedes), range)
  const [first, second] = ranges
  if (ranges.length > rangesBound && first && second) ranges.splice(0, 2, [first[0], second[1]])
  return true
}
