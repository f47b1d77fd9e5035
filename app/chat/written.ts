import { cut } from '#text/cut'
import { E_CHAT_CONTENT } from '#chat/errors'

/** Characters of a type that an error quotes. */
const MOST_QUOTED = 50

/**
 * Returns a text that a client sent, or an empty one if it is absent. Avoids string conversion, which throws
 * for an object whose `toString` is not a function.
 *
 * @throws E_CHAT_CONTENT
 */
export function written(text: unknown): string {
  if (typeof text === 'string') return text
  if ((text ?? null) === null) return ''
  throw new E_CHAT_CONTENT('The text and the type of each part must be strings.')
}

/** Refuses a part of a message by its type. */
export function unreadablePart(type: unknown): E_CHAT_CONTENT {
  const quoted = cut(written(type), MOST_QUOTED)
  return new E_CHAT_CONTENT(`Your agent cannot read a part of the type "${quoted}".`)
}
