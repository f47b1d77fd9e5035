/** Deeper than any tool's schema or document. Functions that recurse over values manage ten times this. */
const MOST_DEPTH = 500

/** More objects and lists than any answer has. Each takes a hundred times the two bytes that it may be sent in. */
const MOST_CONTAINERS = 250_000

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d]

/**
 * Parses JSON of an external sender. Refuses deeply nested values, which exhaust the stack of whatever
 * serializes or compares them, and masses of empty ones, which take gigabytes and block all other work.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  if (text.length > MOST_DEPTH && isOverbuilt(text))
    throw new SyntaxError('The JSON is nested too deeply, or has too many parts.')
  return JSON.parse(text)
}

function isOverbuilt(text: string): boolean {
  let depth = 0
  let containers = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
      if (at === -1) return false
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > MOST_DEPTH || ++containers > MOST_CONTAINERS) return true
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth--
  }
  return false
}

/** Returns the position of the closing quote, or -1 if there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === BACKSLASH) before--
  return (at - before) % 2 === 0
}
