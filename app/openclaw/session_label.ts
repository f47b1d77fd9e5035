import { callGateway } from '#openclaw/gateway_socket'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 5000

/** Gives a session of an agent a name, which the agent itself then keeps. */
export type LabelSession = typeof labelSession

/**
 * Names a session. OpenClaw takes each name once: one that another session has is refused.
 *
 * @throws E_GATEWAY_FAILED
 */
export async function labelSession(
  { url, token }: { url: string; token: string },
  key: string,
  label: string
): Promise<void> {
  const gateway = { url, token, timeoutMs: TIMEOUT_MS }
  await callGateway(gateway, 'sessions.patch', { key: storedKey(key), label })
}
