import type { AgentKey, GatewayAccess } from '#agents/types'
import type { ApprovalDecision } from '#openclaw/run_events'
import { storedKey } from '#openclaw/gateway_shapes'
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

/** A gateway's reply about an approval. */
interface KnownApproval {
  approval?: {
    id?: string
    sessionKey?: string
    status?: string
    presentation?: { kind?: string; allowedDecisions?: string[] }
  }
}

/**
 * Actions for which an agent asks its owner's approval. Only a running agent asks, so it is never woken for
 * this.
 */
export class Approvals {
  constructor(
    protected waker: Pick<Waker, 'peek'>,
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
    const access = this.waker.peek(agent)
    if (!access || !conversationOf(key)) throw new E_APPROVAL_NOT_FOUND()

    const gateway = { ...access, timeoutMs: TIMEOUT_MS }
    const { approval } = await this.call<KnownApproval>(gateway, 'approval.get', { id }).catch(
      (error: { cause?: { gatewayCode?: string } }): KnownApproval => {
        /** The gateway responds but refuses: it does not know this approval. */
        if (error.cause?.gatewayCode) return {}
        throw error
      }
    )
    const kind = approval?.presentation?.kind
    const isOpen = approval?.status === undefined || approval.status === 'pending'
    const isOfConversation = approval?.sessionKey === storedKey(key)
    if (!kind || !isOpen || !isOfConversation) throw new E_APPROVAL_NOT_FOUND()
    await this.call(gateway, 'approval.resolve', { id: approval.id ?? id, kind, decision })
  }
}
