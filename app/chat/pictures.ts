import type { AgentKey } from '#agents/types'
import { askAgent } from '#chat/ask_agent'
import { pictureType } from '#chat/attachments'
import type { CallGateway } from '#chat/approvals'
import { E_PICTURE_NOT_FOUND } from '#chat/errors'
import type { Waker } from '#chat/relay'
import { conversationOf, sessionKeyOf } from '#chat/session_key'
import { isRefused } from '#openclaw/errors'
import { objectIn, textIn } from '#openclaw/gateway_fields'
import { storedKey } from '#openclaw/gateway_shapes'

const TIMEOUT_MS = 20_000

/** Identifies a picture: one stored with a message at the gateway, or a file in the agent's workspace. */
export interface PictureName {
  artifact?: string
  path?: string
}

/** Reads a conversation's pictures from the agent that holds them. Never returns anything but a picture. */
export class Pictures {
  constructor(
    protected waker: Pick<Waker, 'ensureRunning' | 'invalidate' | 'isNew' | 'peek'>,
    protected call: CallGateway
  ) {}

  /** @throws E_PICTURE_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED */
  async read(
    agent: AgentKey,
    conversationId: string,
    name: PictureName
  ): Promise<{ type: string; data: Buffer }> {
    const key = sessionKeyOf(conversationId)
    if (!conversationOf(key) || (await this.waker.isNew(agent))) throw new E_PICTURE_NOT_FOUND()
    const content = await askAgent(this.waker, agent, (access) =>
      this.#content({ ...access, timeoutMs: TIMEOUT_MS }, key, name)
    ).catch((error: unknown) => {
      if (isRefused(error)) return undefined
      throw error
    })
    const data = Buffer.from(content ?? '', 'base64')
    const type = pictureType(data)
    if (!type) throw new E_PICTURE_NOT_FOUND()
    return { type, data }
  }

  async #content(
    gateway: Parameters<CallGateway>[0],
    key: string,
    { artifact, path }: PictureName
  ): Promise<string | undefined> {
    if (artifact) {
      const params = { sessionKey: storedKey(key), artifactId: artifact }
      const { encoding, data } = objectIn(await this.call(gateway, 'artifacts.download', params))
      return encoding === 'base64' ? textIn(data) : undefined
    }
    const params = { agentId: 'main', path: path?.replace(/^\.\//, '') }
    const { file } = objectIn(await this.call(gateway, 'agents.workspace.get', params))
    const { encoding, content } = objectIn(file)
    return encoding === 'base64' ? textIn(content) : undefined
  }
}
