import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { listIn, numberIn, objectIn } from '#openclaw/gateway_fields'
import { lengthOfSession, toSession, type GatewaySession } from '#openclaw/gateway_shapes'
import { openGateway, type GatewayCall } from '#openclaw/gateway_socket'

/** Sessions per page: a gateway reads a title and a preview for each. */
const PAGE = 200

/** Page limit, equal to ten thousand sessions: guards against a gateway that always reports another page. */
const MOST_PAGES = 50

/**
 * Limit of all their texts in characters: three times what OpenClaw makes of so many sessions. The list ends where it
 * is reached.
 */
const MOST_CHARACTERS = 8_000_000

/**
 * Returns all conversations of a gateway. Without a limit a gateway returns only the latest fifty. Keeps only
 * what Mosaic reads of a page, so that their number and size are bounded, whatever else a gateway sends.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function listSessions(gateway: GatewayCall): Promise<GatewaySession[]> {
  const connection = await openGateway(gateway)
  try {
    const sessions: GatewaySession[] = []
    let offset: number | undefined = 0
    let characters = 0
    const deadline = performance.now() + 2 * gateway.timeoutMs
    for (let pages = 0; offset !== undefined && pages < MOST_PAGES; pages++) {
      if (performance.now() > deadline) throw new Error('the pages have no end')
      const page: Record<string, unknown> = objectIn(
        await connection.request('sessions.list', {
          limit: PAGE,
          offset,
          includeDerivedTitles: true,
          includeLastMessage: true,
        })
      )
      for (const stored of listIn(page.sessions).slice(0, PAGE)) {
        characters += lengthOfSession(stored)
        if (characters > MOST_CHARACTERS) return sessions
        const session = toSession(stored)
        if (session) sessions.push(session)
      }
      offset = page.hasMore ? numberIn(page.nextOffset) : undefined
    }
    return sessions
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  } finally {
    connection.close()
  }
}
