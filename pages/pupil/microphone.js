import { h, setText } from '../dom.js'
import { say } from '../texts.js'

/** Each piece is a recording of its own, so that it can be read without the ones before. */
const pieceMs = 5_000

/** A button, and `stop()` for when nobody may speak: a microphone that cannot be seen must not be on. */
export function microphoneButton (client, place) {
  const button = h('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => void (stream ? stop() : start()) } }, say('mic.on'))
  const word = h('p', { role: 'status' })
  let stream
  let recorder

  async function start () {
    button.disabled = true
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true })
      await client.sessions.send('audio:stream:start', place())
      show(true, 'mic.listening')
      record()
    } catch {
      stop()
      setText(word, say('mic.refused'))
    }
    button.disabled = false
  }

  function record () {
    recorder = new MediaRecorder(stream)
    const piece = recorder
    const from = place()
    let sent
    recorder.addEventListener('dataavailable', ({ data }) => {
      // What cannot be sent now is not worth sending later; the page says how the connection stands.
      if (data.size > 0) sent = data.arrayBuffer().then(bytes => client.sessions.send('audio:chunk', { ...from, data: new Uint8Array(bytes), mimeType: piece.mimeType })).catch(() => {})
    })
    recorder.addEventListener('stop', async () => {
      if (stream) return record()
      await sent // the last words come before the end
      client.sessions.send('audio:stream:end', from).catch(() => {})
    })
    recorder.start()
    setTimeout(() => { if (piece.state === 'recording') piece.stop() }, pieceMs)
  }

  function stop () {
    const tracks = stream?.getTracks() ?? []
    stream = undefined
    if (recorder?.state === 'recording') recorder.stop()
    for (const track of tracks) track.stop()
    show(false)
  }

  function show (on, key) {
    button.setAttribute('aria-pressed', String(on))
    setText(button, say(on ? 'mic.off' : 'mic.on'))
    setText(word, key ? say(key) : '')
  }

  return Object.assign(h('div', { class: 'mic' }, button, word), { stop })
}
