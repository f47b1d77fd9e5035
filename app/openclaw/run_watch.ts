import { openGateway, type GatewayConnection } from '#openclaw/gateway_socket'
import { RunEvents, type RunEvent } from '#openclaw/run_events'
import { subscribeToSession } from '#openclaw/session_subscription'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 10_000

/** Observes the runs of one session until the returned function is called. */
export type WatchRuns = typeof watchRuns

/**
 * Reports what happens in a session's runs beside their text: tools, reasoning, approvals, models. Open
 * approvals are reported first. The chat does not depend on it: a gateway that cannot be observed just yields
 * no events. Call the returned function to stop.
 */
export function watchRuns(
  { url, token }: { url: string; token: string },
  key: string,
  take: (event: RunEvent) => void
): () => void {
  const stored = storedKey(key)
  const events = new RunEvents(stored)
  let ended = false
  let connection: GatewayConnection | null = null
  const hand = (event: RunEvent | null) => void (event && !ended && take(event))

  const listen = async () => {
    const gateway = { url, token, timeoutMs: TIMEOUT_MS }
    connection = await openGateway(gateway, {
      onEvent: (event) => hand(events.read(event)),
      onClose: () => {},
    })
    if (ended) return connection.close()
    for (const approval of await subscribeToSession(connection, stored)) hand(approval)
  }
  listen().catch(() => connection?.close())

  return () => {
    ended = true
    connection?.close()
  }
}
