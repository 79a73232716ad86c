/** QR codes (ISO/IEC 18004) of short texts: bytes, level M, versions 1 to 6, so up to 106 bytes. */

/** By version: all codewords, blocks, codewords for errors in each block. */
const versions = [[26, 1, 10], [44, 1, 16], [70, 1, 26], [100, 2, 18], [134, 2, 24], [172, 4, 16]]

/** The modules as rows of booleans, dark is true; null when the text is too long. */
export function qr (text) {
  const bytes = new TextEncoder().encode(text)
  const version = versions.findIndex(([all, blocks, ecc]) => all - blocks * ecc >= bytes.length + 2) + 1
  if (version === 0) return null
  const bits = toBits(interleave(codewords(bytes, versions[version - 1]), versions[version - 1]))
  let best
  for (let mask = 0; mask < 8; mask++) {
    const grid = draw(version, bits, mask)
    const cost = penalty(grid)
    if (!best || cost < best.cost) best = { grid, cost }
  }
  return best.grid
}

function codewords (bytes, [all, blocks, ecc]) {
  const room = all - blocks * ecc
  const bits = [0, 1, 0, 0, ...toBits([bytes.length]), ...toBits(bytes), 0, 0, 0, 0]
  const data = []
  for (let i = 0; i + 8 <= bits.length; i += 8) data.push(parseInt(bits.slice(i, i + 8).join(''), 2))
  for (let pad = 0xec; data.length < room; pad ^= 0xec ^ 0x11) data.push(pad)
  return data
}

function interleave (data, [, blocks, ecc]) {
  const size = data.length / blocks
  const parts = Array.from({ length: blocks }, (_, i) => data.slice(i * size, (i + 1) * size))
  const checks = parts.map(part => remainder(part, ecc))
  const mixed = []
  for (let i = 0; i < size; i++) for (const part of parts) mixed.push(part[i])
  for (let i = 0; i < ecc; i++) for (const check of checks) mixed.push(check[i])
  return mixed
}

const toBits = bytes => [...bytes].flatMap(byte => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1))

/** Product in the field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1. */
function times (a, b) {
  let product = 0
  for (; b > 0; b >>= 1) {
    if (b & 1) product ^= a
    a = (a << 1) ^ (a & 0x80 ? 0x11d : 0)
  }
  return product
}

/** Reed and Solomon's codewords for errors. */
function remainder (data, count) {
  let generator = [1]
  for (let i = 0, root = 1; i < count; i++, root = times(root, 2)) {
    generator = [...generator, 0].map((value, j) => value ^ (j > 0 ? times(generator[j - 1], root) : 0))
  }
  const rest = Array(count).fill(0)
  for (const byte of data) {
    const factor = byte ^ rest.shift()
    rest.push(0)
    for (let i = 0; i < count; i++) rest[i] ^= times(generator[i + 1], factor)
  }
  return rest
}

const masks = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x, y) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => ((x / 3 | 0) + (y / 2 | 0)) % 2, (x, y) => x * y % 2 + x * y % 3,
  (x, y) => (x * y % 2 + x * y % 3) % 2, (x, y) => ((x + y) % 2 + x * y % 3) % 2
]

function draw (version, bits, mask) {
  const size = 17 + 4 * version
  const grid = Array.from({ length: size }, () => Array(size).fill(undefined))
  const set = (x, y, dark) => { if (grid[y]?.[x] !== undefined || !(x in (grid[y] ?? []))) return; grid[y][x] = Boolean(dark) }
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    square(cx, cy, 4, set, distance => distance !== 2 && distance !== 4)
  }
  if (version > 1) square(size - 7, size - 7, 2, set, distance => distance !== 1)
  for (let i = 8; i < size - 8; i++) { set(i, 6, i % 2 === 0); set(6, i, i % 2 === 0) }
  set(8, size - 8, true)
  drawFormat(size, mask, set)
  let at = 0
  for (let right = size - 1; right > 0; right -= right === 8 ? 3 : 2) {
    const up = ((right > 6 ? size - 1 - right : size - 2 - right) / 2) % 2 === 0
    for (let i = 0; i < size; i++) {
      const y = up ? size - 1 - i : i
      for (const x of [right, right - 1]) {
        if (grid[y][x] === undefined) grid[y][x] = Boolean((bits[at++] ?? 0) ^ (masks[mask](x, y) === 0 ? 1 : 0))
      }
    }
  }
  return grid
}

function square (cx, cy, reach, set, isDark) {
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) set(cx + dx, cy + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))))
  }
}

/** Level M is 0, so the mask alone is said, twice. */
function drawFormat (size, mask, set) {
  let check = mask
  for (let i = 0; i < 10; i++) check = (check << 1) ^ ((check >> 9) * 0x537)
  const format = ((mask << 10) | check) ^ 0x5412
  for (let i = 0; i < 15; i++) {
    const dark = (format >> i) & 1
    if (i < 8) set(size - 1 - i, 8, dark)
    else set(8, size - 15 + i, dark)
    if (i < 6) set(8, i, dark)
    else if (i < 8) set(8, i + 1, dark)
    else if (i === 8) set(7, 8, dark)
    else set(14 - i, 8, dark)
  }
}

/** How hard it is to read: long runs, blocks, and too much of one colour. */
function penalty (grid) {
  const size = grid.length
  let cost = 0
  let dark = 0
  for (let i = 0; i < size; i++) {
    for (const at of [j => grid[i][j], j => grid[j][i]]) {
      for (let j = 1, run = 1; j < size; j++) {
        run = at(j) === at(j - 1) ? run + 1 : 1
        if (run >= 5) cost += run === 5 ? 3 : 1
      }
    }
    for (let j = 0; j < size; j++) {
      if (grid[i][j]) dark++
      if (i > 0 && j > 0 && grid[i][j] === grid[i - 1][j] && grid[i][j] === grid[i][j - 1] && grid[i][j] === grid[i - 1][j - 1]) cost += 3
    }
  }
  return cost + 10 * Math.floor(Math.abs(dark / size / size - 0.5) * 20)
}
