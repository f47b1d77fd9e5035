import type { StoredMessage } from '#openclaw/gateway_messages'
import { storedKey } from '#openclaw/gateway_shapes'
import { openGateway } from '#openclaw/gateway_socket'

const TIMEOUT_MS = 15_000

/** Characters of one message: more than a person sends, or a model answers, at once. */
const MOST_CHARACTERS = 2_000_000

/** Messages that are fetched whole for one reading; what is longer beyond them stays cut. */
const MOST_MESSAGES = 100

/** The answer to `chat.message.get`. */
interface WholeMessage {
  ok?: boolean
  message?: StoredMessage
}

/**
 * A gateway's history cuts each message at 8,000 characters, and says so; those are asked for one by one.
 * One that it does not give stays cut.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function withWholeTexts(
  gateway: { url: string; token: string },
  key: string,
  rows: StoredMessage[]
): Promise<StoredMessage[]> {
  /** What is said before a tool is another row of the same stored message. */
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
