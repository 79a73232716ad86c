/** Seconds of `754.5`, `12:34.5`, `00:12:34,500` (WebVTT and spreadsheets) or of an ISO date and time; null for anything else. */
export function parseTime (text: string): { seconds: number, absolute: boolean } | null {
  const trimmed = text.trim()
  if (/^\d+([.,]\d+)?$/.test(trimmed)) return { seconds: Number(trimmed.replace(',', '.')), absolute: false }
  const clock = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$/.exec(trimmed)
  if (clock) {
    const [hours, minutes, seconds] = [Number(clock[1] ?? 0), Number(clock[2]), Number((clock[3] as string).replace(',', '.'))]
    return minutes < 60 && seconds < 60 ? { seconds: hours * 3600 + minutes * 60 + seconds, absolute: false } : null
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(trimmed)) return null
  const milliseconds = Date.parse(trimmed)
  return Number.isNaN(milliseconds) ? null : { seconds: milliseconds / 1000, absolute: true }
}

/** `12:30`, and `1:02:30` after the first hour. */
export function showTime (seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = `${String(minutes).padStart(2, '0')}:${String(rest).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
