/** What every server of a comparison says and hears: 300 bytes of JSON. */

export const secret = 'the secret of the bench'
export const namespace = '/bench'
export const classId = 'class-1'
export const heard = 'bench:news'

export interface News { classId: string, number: number, text: string }

const text = 'talk '.repeat(60)

export function news (number: number): News {
  const empty = JSON.stringify({ classId, number, text: '' })
  return { classId, number, text: text.slice(0, 300 - empty.length) }
}
