import { createHash } from 'node:crypto'
import t from 'tap'

const { qr } = await import(new URL('../../pages/qr.js', import.meta.url).href) as { qr: (text: string) => boolean[][] | null }

t.test('QR codes, as a reader of another make has read them', async t => {
  const known: [text: string, size: number, digest: string][] = [
    ['HI', 21, '3d84a0502a149a94'],
    ['http://127.0.0.1:3000/join/ABC123', 29, '781854b93418ad64'],
    ['https://class.school-with-a-name.example/join/K7TQ2M', 33, '27e749e98ee1dbe1'],
    ['y'.repeat(84), 37, 'd1974f6a11c12a4a'],
    ['Z'.repeat(106), 41, '40e55f2a44fe7f5e']
  ]
  for (const [text, size, digest] of known) {
    const grid = qr(text) ?? []
    t.equal(grid.length, size, text.slice(0, 40))
    t.equal(createHash('sha256').update(grid.map(row => row.map(Number).join('')).join('')).digest('hex').slice(0, 16), digest)
  }
  t.equal(qr('x'.repeat(107)), null, 'too long')
})
