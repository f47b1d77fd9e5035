import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Conversation } from '#chat/listed_conversations'
import { folded } from '#models/folded'

/** Conversations searched per turn of the event loop: ten thousand may take most of a second. */
const AT_ONCE = 500

/**
 * Returns the conversations with the text in their title or last message, ignoring case and accents; all of them for an
 * empty text.
 */
export async function withText(all: Conversation[], text: string): Promise<Conversation[]> {
  const term = folded(text.trim())
  if (term === '') return all
  const found: Conversation[] = []
  for (let start = 0; start < all.length; start += AT_ONCE) {
    if (start > 0) await nextTurn()
    const some = all.slice(start, start + AT_ONCE)
    found.push(
      ...some.filter(({ title, preview }) =>
        folded(`${title ?? ''}\n${preview ?? ''}`).includes(term)
      )
    )
  }
  return found
}
