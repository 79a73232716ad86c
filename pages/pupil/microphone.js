import { h, setText } from '../dom.js'
import { say } from '../texts.js'

/** Each piece is a recording of its own, so that it can be read without the ones before. */
const pieceMs = 5_000

export function microphoneButton (client, place) {
  const button = h('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => void (stream ? stop() : start()) } }, say('mic.on'))
  const word = h('p', { role: 'status' })
  let stream

  async function start () {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true })
      await client.sessions.send('audio:stream:start', place())
      show(true, 'mic.listening')
      record()
    } catch {
      stop()
      setText(word, say('mic.refused'))
    }
  }

  function record () {
    const recorder = new MediaRecorder(stream)
    recorder.addEventListener('dataavailable', async ({ data }) => {
      if (data.size === 0) return
      const bytes = new Uint8Array(await data.arrayBuffer())
      // What cannot be sent now is not worth sending later; the teacher's page says how the connection stands.
      client.sessions.send('audio:chunk', { ...place(), data: bytes, mimeType: recorder.mimeType }).catch(() => {})
    })
    recorder.addEventListener('stop', () => { if (stream) record() })
    recorder.start()
    setTimeout(() => { if (recorder.state === 'recording') recorder.stop() }, pieceMs)
  }

  function stop () {
    for (const track of stream?.getTracks() ?? []) track.stop()
    if (stream) client.sessions.send('audio:stream:end', place()).catch(() => {})
    stream = undefined
    show(false)
  }

  function show (on, key) {
    button.setAttribute('aria-pressed', String(on))
    setText(button, say(on ? 'mic.off' : 'mic.on'))
    setText(word, key ? say(key) : '')
  }

  return h('div', { class: 'mic' }, button, word)
}
