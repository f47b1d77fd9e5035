import type { AgentKey, GatewayAccess } from '#agents/types'
import type { Waker } from '#chat/relay'
import { E_GATEWAY_FAILED, isRefused } from '#openclaw/errors'

/**
 * Asks an agent at its cached address, and once more at the present one if that does not respond. Wakes the agent.
 *
 * @throws AgentUnavailable, and what the question throws
 */
export async function askAgent<Answer>(
  waker: Pick<Waker, 'ensureRunning' | 'invalidate' | 'peek'>,
  agent: AgentKey,
  question: (gateway: GatewayAccess) => Promise<Answer>
): Promise<Answer> {
  const remembered = waker.peek(agent)
  if (!remembered) return question(await waker.ensureRunning(agent))
  return question(remembered).catch(async (error: unknown) => {
    if (!(error instanceof E_GATEWAY_FAILED) || isRefused(error)) throw error
    waker.invalidate(agent)
    return question(await waker.ensureRunning(agent))
  })
}
