import { callGateway } from '#openclaw/gateway_socket'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 5000

/** The session fields an agent stores beside its messages. */
export interface SessionPatch {
  /** Unique: OpenClaw refuses a name that another session has. At most 512 UTF-16 units. */
  label?: string
  pinned?: boolean
  /** The model, by the gateway's name; null for the agent's own choice. */
  model?: string | null
}

/** Changes fields of one of an agent's sessions. */
export type PatchSession = typeof patchSession

/** @throws E_GATEWAY_FAILED */
export async function patchSession(
  { url, token }: { url: string; token: string },
  key: string,
  patch: SessionPatch
): Promise<void> {
  const gateway = { url, token, timeoutMs: TIMEOUT_MS }
  await callGateway(gateway, 'sessions.patch', { key: storedKey(key), ...patch })
}
