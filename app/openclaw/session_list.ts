import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { openGateway, type GatewayCall } from '#openclaw/gateway_socket'

/** Sessions per page: a gateway reads a title and a preview for each. */
const PAGE = 200

/** Page limit, equal to ten thousand sessions: guards against a gateway that always reports another page. */
const MOST_PAGES = 50

/** Response of `sessions.list`. */
interface SessionPage {
  sessions?: object[]
  hasMore?: boolean
  nextOffset?: number
}

/**
 * Returns all sessions of a gateway, as stored. Without a limit a gateway returns only the latest fifty.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function listSessions(gateway: GatewayCall): Promise<object[]> {
  const connection = await openGateway(gateway)
  try {
    const sessions: object[] = []
    let offset: number | undefined = 0
    for (let pages = 0; offset !== undefined && pages < MOST_PAGES; pages++) {
      const page: SessionPage = await connection.request<SessionPage>('sessions.list', {
        limit: PAGE,
        offset,
        includeDerivedTitles: true,
        includeLastMessage: true,
      })
      sessions.push(...(page.sessions ?? []))
      offset = page.hasMore ? page.nextOffset : undefined
    }
    return sessions
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  } finally {
    connection.close()
  }
}
