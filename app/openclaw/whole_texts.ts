import { objectIn } from '#openclaw/gateway_fields'
import { storedMessage, type StoredMessage } from '#openclaw/gateway_messages'
import { storedKey } from '#openclaw/gateway_shapes'
import { openGateway, type GatewayCall } from '#openclaw/gateway_socket'

/** Limit of one message in characters: more than a person sends or a model answers at once. */
const MOST_CHARACTERS = 2_000_000

/** Limit of all messages of one read, in characters. The earliest ones beyond it stay cut. */
const MOST_IN_ALL = 4 * MOST_CHARACTERS

/** Messages fetched in full per read; further long ones stay cut. */
const MOST_MESSAGES = 100

/**
 * Fetches in full the messages that a gateway's history cuts at 8,000 characters and marks as such. Those it
 * does not return, or not within twice the time of one step, stay cut: callers hold bytes that others wait for.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function withWholeTexts(
  gateway: GatewayCall,
  key: string,
  rows: StoredMessage[]
): Promise<StoredMessage[]> {
  /** Text before a tool call is a separate row of the same stored message. */
  const cut = rows.filter(({ id, isTruncated, isAside }) => isTruncated && id && !isAside)
  if (cut.length === 0) return rows

  const wholes = new Map<StoredMessage, StoredMessage>()
  const signal = AbortSignal.timeout(2 * gateway.timeoutMs)
  const connection = await openGateway({ ...gateway, signal })
  try {
    let characters = 0
    for (const row of cut.slice(-MOST_MESSAGES).toReversed()) {
      if (signal.aborted) break
      const asked = { sessionKey: storedKey(key), messageId: row.id, maxChars: MOST_CHARACTERS }
      const answer = await connection.request('chat.message.get', asked).catch(() => null)
      const { role, content } = storedMessage(objectIn(answer).message)
      characters += lengthOf(content)
      if (characters > MOST_IN_ALL) break
      if (role !== row.role) continue
      wholes.set(row, { ...row, content })
    }
  } finally {
    connection.close()
  }
  return rows.map((row) => wholes.get(row) ?? row)
}

function lengthOf(content: StoredMessage['content']): number {
  if (!Array.isArray(content)) return content?.length ?? 0
  const lengths = content.map(({ text = '', thinking = '' }) => text.length + thinking.length)
  return lengths.reduce((sum, length) => sum + length, content.length)
}
