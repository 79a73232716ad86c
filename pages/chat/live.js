import * as model from './model.js'

/** Chat and presence of one class, live: events change the model, and what the user does goes to the server. */

const pageSize = 50
/** Typing is said again this often while it goes on. */
const typingMs = 2_500
/** What a user does on the page shows that they are there; one sign in this time is enough. */
const activeMs = 60_000

/**
 * @param changed called after each change; with the message when somebody else's came
 * @param failed called with what could not be loaded
 */
export function follow (client, { code, userId, leads }, changed, failed) {
  const { classroom } = client
  const chat = model.createModel(userId)
  const at = { sessionCode: code }
  const hear = (event, take) => classroom.on(event, payload => {
    if (payload.sessionCode !== code) return
    take(chat, payload)
    changed()
  })
  classroom.on('messageReceived', message => { if (message.sessionCode === code) changed(model.takeMessage(chat, message) ? message : undefined) })
  hear('presenceUpdated', model.takePerson)
  hear('messageEdited', model.takeEdit)
  hear('messageDeleted', model.takeDeletion)
  hear('reactionsUpdated', model.takeReactions)
  hear('chatModeChanged', (chat, { mode }) => { chat.mode = mode })
  hear('messageModerated', model.takeModerated)
  hear('messageHeld', (chat, message) => chat.held.set(message.messageId, message))
  hear('typingUpdated', (chat, typing) => {
    model.takeTyping(chat, typing)
    if (typing.typing) setTimeout(changed, typing.expiresInMs + 50)
  })

  async function load () {
    try {
      model.takePage(chat, await classroom.send('getHistory', { ...at, limit: pageSize }))
      if (leads) chat.held = new Map((await classroom.send('getHeldMessages', { ...at, limit: 200 })).messages.map(one => [one.messageId, one]))
      changed()
    } catch (error) {
      failed(error)
    }
  }
  const joined = classroom.follow('joinSession', code, ({ snapshot, lost }) => {
    model.takeJoined(chat, snapshot, lost.length > 0)
    changed()
    void load()
  })
  joined.ready.catch(failed)
  watch(status => { classroom.send('updatePresence', { ...at, status }, { ttlMs: 0 }).catch(unheard) })

  let typedAt = 0
  const moderate = async (messageId, action) => {
    await classroom.send('moderateMessage', { ...at, messageId, action })
    chat.held.delete(messageId)
    changed()
  }
  return {
    chat,
    /** Shown at once; it goes out when there is a connection. @throws what the server refused */
    async say (message) {
      const own = { message, state: 'sending' }
      chat.pending.push(own)
      typedAt = 0
      changed()
      try {
        const { messageId, held } = await classroom.send('sendMessage', { ...at, message })
        if (held) Object.assign(own, { state: 'held', messageId })
        else chat.pending = chat.pending.filter(one => one !== own)
      } catch (error) {
        chat.pending = chat.pending.filter(one => one !== own)
        throw error
      } finally {
        changed()
      }
    },
    typing () {
      if (Date.now() - typedAt < typingMs) return
      typedAt = Date.now()
      classroom.send('setTyping', { ...at, typing: true }, { ttlMs: 0 }).catch(unheard)
    },
    edit: (messageId, message) => classroom.send('editMessage', { ...at, messageId, message }),
    remove: messageId => classroom.send('deleteMessage', { ...at, messageId }),
    async react (messageId, sign) {
      const name = `${messageId} ${sign}`
      const on = !chat.mine.has(name)
      await classroom.send('react', { ...at, messageId, sign, on })
      if (on) chat.mine.add(name)
      else chat.mine.delete(name)
      changed()
    },
    attachment: messageId => classroom.send('getAttachment', { ...at, messageId }),
    async older () {
      model.takePage(chat, await classroom.send('getHistory', { ...at, limit: pageSize, before: chat.older }), true)
      changed()
    },
    setMode: mode => classroom.send('setChatMode', { ...at, mode }),
    approve: messageId => moderate(messageId, 'approve'),
    reject: messageId => moderate(messageId, 'reject')
  }
}

/** Of typing and of presence the next word counts, not the one that was lost. */
function unheard () {}

/** A page that is not looked at is idle; whoever does something on it is there. */
function watch (tell) {
  let toldAt = 0
  const active = () => {
    if (document.hidden || Date.now() - toldAt < activeMs) return
    toldAt = Date.now()
    tell('active')
  }
  document.addEventListener('visibilitychange', () => {
    toldAt = 0
    if (document.hidden) tell('idle')
    else active()
  })
  for (const event of ['pointerdown', 'keydown', 'scroll']) addEventListener(event, active, { passive: true, capture: true })
}
