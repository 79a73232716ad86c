import { createClient, io } from './sdk.js'

/** The page's way to the server: who the user is, REST, and the live connection. */

const settings = await (await fetch(new URL('settings.json', import.meta.url))).json()
export const { microphone, classroom } = settings

/** What the link says after `#`; it is taken out of the address at once, and kept for this tab alone. */
export function fromLink (key) {
  const said = new URLSearchParams(location.hash.slice(1)).get(key)
  if (said !== null) {
    remember(key, said)
    const rest = new URLSearchParams(location.hash.slice(1))
    rest.delete(key)
    history.replaceState(null, '', `${location.pathname}${rest.size > 0 ? `#${rest}` : ''}`)
  }
  return said ?? recall(key)
}

export function recall (key) { return sessionStorage.getItem(`classwaves.${key}`) }

export function remember (key, value) {
  if (value === null) sessionStorage.removeItem(`classwaves.${key}`)
  else sessionStorage.setItem(`classwaves.${key}`, value)
}

/** @throws an object with the `code` of the failure */
export async function call (method, path, { token, body } = {}) {
  const answer = await fetch(`${settings.prefix}${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) })
  })
  const data = await answer.json()
  if (!answer.ok) throw data
  return data
}

/** Whose token it is. The server checks it; the page only wants to know which messages are its user's own. */
export function userOf (token) {
  return JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).sub
}

export function connect (getToken) {
  return createClient({ io, getToken, socket: { path: settings.socketPath } })
}
