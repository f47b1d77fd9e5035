import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { listIn, numberIn, objectIn } from '#openclaw/gateway_fields'
import { toSession, type GatewaySession } from '#openclaw/gateway_shapes'
import { openGateway, type GatewayCall } from '#openclaw/gateway_socket'

/** Sessions per page: a gateway reads a title and a preview for each. */
const PAGE = 200

/** Page limit, equal to ten thousand sessions: guards against a gateway that always reports another page. */
const MOST_PAGES = 50

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
      const stored = listIn(page.sessions).slice(0, PAGE)
      sessions.push(...stored.map(toSession).filter((session) => session !== null))
      offset = page.hasMore ? numberIn(page.nextOffset) : undefined
    }
    return sessions
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  } finally {
    connection.close()
  }
}
