import { listIn, objectIn } from '#openclaw/gateway_fields'
import type { GatewayConnection } from '#openclaw/gateway_socket'
import { approvalOf, type Approval } from '#openclaw/run_events'

/** Open approvals of one session that are shown. */
const MOST_APPROVALS = 100

/** Subscribes to a session's events, by the gateway's key. Returns the approvals that are open. */
export async function subscribeToSession(
  connection: Pick<GatewayConnection, 'request'>,
  key: string
): Promise<Approval[]> {
  const subscribed = await connection.request('sessions.messages.subscribe', {
    key,
    includeApprovals: true,
  })
  const { approvals } = objectIn(objectIn(subscribed).approvalReplay)
  return listIn(approvals)
    .slice(0, MOST_APPROVALS)
    .map(approvalOf)
    .filter((approval) => approval !== null)
}
