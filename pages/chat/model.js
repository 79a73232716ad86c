/** What is written in a class and who is there, as data: events in. No page in it. */

export function createModel (userId) {
  return { userId, loaded: false, mode: null, over: false, people: new Map(), messages: new Map(), older: null, pending: [], held: new Map(), typing: new Map(), mine: new Set(), unread: 0 }
}

/** A new answer to joining: who is there now, and who may write. */
export function takeJoined (chat, { participants, mode }, isGap) {
  chat.mode = mode
  chat.people = new Map(participants.map(one => [one.userId, one]))
  chat.typing.clear()
  if (!isGap) return
  chat.messages.clear()
  chat.loaded = false
}

export function takePerson (chat, { userId, status, displayName, role, timestamp }) {
  const known = chat.people.get(userId)
  // Two processes may tell of two changes in the wrong order.
  if (known?.timestamp > timestamp) return
  if (status === 'left' || status === 'disconnected') {
    chat.people.delete(userId)
    chat.typing.delete(userId)
  } else chat.people.set(userId, { joinedAt: timestamp, ...known, userId, displayName, role, status, timestamp })
}

/** A page of history. What events told meanwhile of the same messages is newer. */
export function takePage (chat, { messages, before }, isOlder) {
  for (const message of messages) {
    const known = chat.messages.get(message.messageId)
    if (known?.deleted || known?.editedAt > (message.editedAt ?? '')) continue
    chat.messages.set(message.messageId, message)
  }
  if (isOlder || !chat.loaded) chat.older = before
  chat.loaded = true
}

/** True when it is new and somebody else's. */
export function takeMessage (chat, message) {
  const { messageId, userId } = message
  const isNew = !chat.messages.has(messageId)
  if (isNew) chat.messages.set(messageId, message)
  chat.held.delete(messageId)
  const own = chat.pending.find(one => one.messageId === messageId) ??
    (userId === chat.userId ? chat.pending.find(one => one.state === 'sending' && one.message === message.message) : undefined)
  chat.pending = chat.pending.filter(one => one !== own)
  return isNew && userId !== chat.userId
}

export function takeEdit (chat, { messageId, message, editedAt }) { change(chat, messageId, { message, editedAt }) }

/** The place stays, what was said goes. */
export function takeDeletion (chat, { messageId }) { change(chat, messageId, { message: '', deleted: true, attachment: undefined, reactions: {} }) }

export function takeReactions (chat, { messageId, reactions }) { change(chat, messageId, { reactions }) }

function change (chat, messageId, changes) {
  const known = chat.messages.get(messageId)
  if (known) chat.messages.set(messageId, { ...known, ...changes })
}

export function takeTyping (chat, { userId, typing, expiresInMs }, now = Date.now()) {
  if (typing && userId !== chat.userId) chat.typing.set(userId, now + expiresInMs)
  else chat.typing.delete(userId)
}

/** What became of an own message that waited. */
export function takeModerated (chat, { messageId, action }) {
  const own = chat.pending.find(one => one.messageId === messageId)
  if (!own) return
  if (action === 'reject') own.state = 'rejected'
  else chat.pending = chat.pending.filter(one => one !== own)
}

export function messagesOf (chat) { return [...chat.messages.values()].sort((a, b) => a.seq - b.seq) }

/** Those who are there: teachers first, then by name. */
export function peopleOf (chat) {
  const isPupil = ({ role }) => role === 'student'
  return [...chat.people.values()].sort((a, b) => isPupil(a) - isPupil(b) || a.displayName.localeCompare(b.displayName))
}

/** The names of those who type now. */
export function typists (chat, now = Date.now()) {
  for (const [userId, until] of chat.typing) if (until <= now) chat.typing.delete(userId)
  return [...chat.typing.keys()].flatMap(userId => chat.people.get(userId)?.displayName ?? [])
}

/** May this reader write to the class? */
export function mayWrite ({ mode, over }, leads) {
  return !over && (mode === 'open' || mode === 'moderated' || (mode === 'teacher-only' && leads))
}
