import type { AgentKey, GatewayAccess } from '#agents/types'
import type { ApprovalDecision } from '#openclaw/run_events'
import { isRefused } from '#openclaw/errors'
import { storedKey } from '#openclaw/gateway_shapes'
import { subscribeToSession } from '#openclaw/session_subscription'
import { E_APPROVAL_NOT_FOUND } from '#chat/errors'
import type { Waker } from '#chat/relay'
import { conversationOf, sessionKeyOf } from '#chat/session_key'

const TIMEOUT_MS = 10_000

/** Calls one method of a gateway. */
export type CallGateway = <Result>(
  gateway: GatewayAccess & { timeoutMs: number },
  method: string,
  params: Record<string, unknown>
) => Promise<Result>

/**
 * Actions for which an agent asks its owner's approval. Only a running agent asks, so it is never woken for
 * this.
 */
export class Approvals {
  constructor(
    protected waker: Pick<Waker, 'running'>,
    protected call: CallGateway
  ) {}

  /**
   * Answers one approval of a conversation.
   *
   * @throws E_APPROVAL_NOT_FOUND, E_GATEWAY_FAILED
   */
  async answer(
    agent: AgentKey,
    conversationId: string,
    id: string,
    decision: ApprovalDecision
  ): Promise<void> {
    const key = sessionKeyOf(conversationId)
    const access = await this.waker.running(agent)
    if (!access || !conversationOf(key)) throw new E_APPROVAL_NOT_FOUND()

    const gateway = { ...access, timeoutMs: TIMEOUT_MS }
    const request = <Result>(method: string, params: Record<string, unknown>) =>
      this.call<Result>(gateway, method, params).catch(notKnown)
    /** OpenClaw tells the session of an open approval only by listing the session's. */
    const open = await subscribeToSession({ request }, storedKey(key))
    const approval = open.find((one) => one.id === id && one.state === 'pending')
    /** OpenClaw takes a decision that it did not offer for a refusal. */
    const isOffered = decision === 'deny' || approval?.decisions.includes(decision)
    if (!approval || !isOffered) throw new E_APPROVAL_NOT_FOUND()
    await request('approval.resolve', { id, kind: approval.about, decision })
  }
}

/** A gateway that refuses does not know this session or approval. */
function notKnown(error: unknown): never {
  throw isRefused(error) ? new E_APPROVAL_NOT_FOUND() : error
}
