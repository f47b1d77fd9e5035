import { callGateway } from '#openclaw/gateway_socket'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 5000

/** What an agent keeps of a session beside its messages. */
export interface SessionPatch {
  /** OpenClaw takes each name once: one that another session has is refused. At most 512 UTF-16 units. */
  label?: string
  pinned?: boolean
  /** As the gateway names it; null is the agent's own choice. */
  model?: string | null
}

/** Changes what an agent keeps of one of its sessions. */
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
