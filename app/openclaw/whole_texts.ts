import type { StoredMessage } from '#openclaw/gateway_messages'
import { storedKey } from '#openclaw/gateway_shapes'
import { openGateway } from '#openclaw/gateway_socket'

const TIMEOUT_MS = 15_000

/** Limit of one message in characters: more than a person sends or a model answers at once. */
const MOST_CHARACTERS = 2_000_000

/** Messages fetched in full per read; further long ones stay cut. */
const MOST_MESSAGES = 100

/** Response of `chat.message.get`. */
interface WholeMessage {
  ok?: boolean
  message?: StoredMessage
}

/**
 * Fetches in full the messages that a gateway's history cuts at 8,000 characters and marks as such. Those it
 * does not return stay cut.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function withWholeTexts(
  gateway: { url: string; token: string },
  key: string,
  rows: StoredMessage[]
): Promise<StoredMessage[]> {
  /** Text before a tool call is a separate row of the same stored message. */
  const cut = rows.filter(
    ({ __openclaw: kept, openclawStreamFallback: aside }) => kept?.truncated && kept.id && !aside
  )
  if (cut.length === 0) return rows

  const wholes = new Map<StoredMessage, StoredMessage>()
  const connection = await openGateway({ ...gateway, timeoutMs: TIMEOUT_MS })
  try {
    for (const row of cut.slice(-MOST_MESSAGES)) {
      const asked = {
        sessionKey: storedKey(key),
        messageId: row.__openclaw!.id,
        maxChars: MOST_CHARACTERS,
      }
      const { message } = await connection
        .request<WholeMessage>('chat.message.get', asked)
        .catch((): WholeMessage => ({}))
      if (message?.role === row.role) wholes.set(row, { ...row, content: message?.content })
    }
  } finally {
    connection.close()
  }
  return rows.map((row) => wholes.get(row) ?? row)
}
