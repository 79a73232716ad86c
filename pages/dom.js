/** Elements without markup: whatever is handed in ends as text. */

export function h (tag, { on = {}, class: name, ...attributes } = {}, ...children) {
  const element = document.createElement(tag)
  if (name) element.className = name
  for (const [key, value] of Object.entries(attributes)) if (value !== false && value !== undefined) element.setAttribute(key, value === true ? '' : value)
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener)
  element.append(...children)
  return element
}

/** Sets a text if it is another: a screen reader would read the same again. */
export function setText (element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** Puts children in order, moves only what is out of place, keeps the focus where it was. */
export function arrange (parent, children) {
  const focused = document.activeElement
  for (const child of [...parent.children]) if (!children.includes(child)) child.remove()
  children.forEach((child, i) => { if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null) })
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus()
}

const svgNamespace = 'http://www.w3.org/2000/svg'

export function svg (tag, attributes, ...children) {
  const element = document.createElementNS(svgNamespace, tag)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}
