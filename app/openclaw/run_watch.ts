import { openGateway, type GatewayConnection } from '#openclaw/gateway_socket'
import { listIn, objectIn } from '#openclaw/gateway_fields'
import { approvalOf, RunEvents, type RunEvent } from '#openclaw/run_events'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 10_000

/** Open approvals of one session that are shown. */
const MOST_APPROVALS = 100

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
    const subscribed = await connection.request('sessions.messages.subscribe', {
      key: stored,
      includeApprovals: true,
    })
    const { approvals } = objectIn(objectIn(subscribed).approvalReplay)
    for (const approval of listIn(approvals).slice(0, MOST_APPROVALS)) hand(approvalOf(approval))
  }
  listen().catch(() => connection?.close())

  return () => {
    ended = true
    connection?.close()
  }
}
