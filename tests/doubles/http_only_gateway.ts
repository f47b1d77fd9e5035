import app from '@adonisjs/core/services/app'
import { Conversations } from '#chat/conversations'
import { PageChat } from '#chat/page_chat'
import { GatewayClient } from '#openclaw/gateway_client'
import { toSession, type GatewaySession } from '#openclaw/gateway_shapes'

/** A client for the memory runtime's gateways, which have no WebSocket: uses HTTP where it can. */
export class HttpOnlyGatewayClient extends GatewayClient {
  override async sessions(url: string, token: string): Promise<GatewaySession[]> {
    const response = await fetch(`${url}/tools/invoke`, {
      method: 'POST',
      body: JSON.stringify({ name: 'sessions_list' }),
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    })
    const { result } = (await response.json()) as { result: { details: { sessions: object[] } } }
    return result.details.sessions.map(toSession).filter((session) => session !== null)
  }

  /** The double keeps deleted sessions in memory. */
  override async deleteSession(): Promise<void> {}
}

/** Has the chat use HTTP alone, until the returned function is called. */
export async function chatByHttp(): Promise<() => void> {
  const { container } = app
  const conversations = new Conversations(
    await container.make('agents.lifecycle'),
    await container.make('agents.activity'),
    new HttpOnlyGatewayClient(),
    async () => {}
  )
  const failures = await container.make('llm_relay.failures')
  const page = new PageChat(await container.make('chat.relay'), failures, () => {})
  container.swap(Conversations, () => conversations)
  container.swap(PageChat, () => page)
  return () => container.restoreAll([Conversations, PageChat])
}
