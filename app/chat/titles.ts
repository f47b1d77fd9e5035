import { titleLine } from '#chat/read_messages'
import type { GatewayMessage } from '#openclaw/gateway_messages'
import { shortened } from '#text/cut'

/** Length of a title made from the first message, in characters. */
const TITLE_LENGTH = 60

/** Characters that nobody sees: they tell equal titles apart, which the agent refuses. */
const MARKS = ['\u2060', '\u2061']
const MARKED = /[\u2060\u2061]/g

/** Returns the title as its owner sees it. */
export function shownTitle(stored: string | null): string | null {
  return stored && titleLine(stored).replace(MARKED, '')
}

/** Returns the title with the first mark that no other has. */
export function uniqueTitle(title: string, taken: ReadonlySet<string | null>): string {
  for (let number = 1, unique = title; ; number++) {
    if (!taken.has(unique)) return unique
    unique = title + number.toString(2).replace(/[01]/g, (digit) => MARKS[Number(digit)])
  }
}

/** Returns the start of the owner's first message. */
export function titleOf(messages: GatewayMessage[]): string | null {
  const first = messages.find(({ role }) => role === 'user')
  if (!first) return null
  return shortened(titleLine(first.text), TITLE_LENGTH)
}
