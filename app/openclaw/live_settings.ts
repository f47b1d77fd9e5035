import type { AgentName } from '#openclaw/agent_name'
import type { AgentDocument, AgentDocuments } from '#openclaw/documents'
import { documentPart, filesPart } from '#openclaw/document_hash'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import type { GatewayControl } from '#openclaw/gateway_control'
import type { ControlledGateway } from '#openclaw/gateway_rpc'
import { callGateway } from '#openclaw/gateway_socket'
import { PERSONALITY_FILE } from '#openclaw/launch_files'
import { livePatch } from '#openclaw/live_patch'

const TIMEOUT_MS = 10_000

/** Writes a file into a running agent's workspace. */
export async function setWorkspaceFile(
  { url, token }: ControlledGateway,
  name: string,
  content: string
): Promise<void> {
  const gateway = { url, token, timeoutMs: TIMEOUT_MS }
  await callGateway(gateway, 'agents.files.set', { agentId: 'main', name, content })
}

/** Applies new settings to a running agent without interrupting it. */
export class LiveSettings {
  constructor(
    protected documents: Pick<AgentDocuments, 'forAgent'>,
    protected control: Pick<GatewayControl, 'document' | 'patchDocument'>,
    protected setFile: typeof setWorkspaceFile = setWorkspaceFile
  ) {}

  /**
   * Returns the hash of the document the agent uses from now on, or null if only a restart can apply it.
   * `formerHash` is the hash of its present document.
   *
   * @throws E_NO_PROVIDER
   */
  async apply(
    gateway: ControlledGateway,
    agent: AgentName,
    formerHash: string
  ): Promise<string | null> {
    const wanted = await this.documents.forAgent(agent)
    return (await this.#bring(gateway, formerHash, wanted)) ? wanted.hash : null
  }

  async #bring(
    gateway: ControlledGateway,
    formerHash: string,
    { document, files, hash }: AgentDocument
  ): Promise<boolean> {
    try {
      if (documentPart(hash) !== documentPart(formerHash)) {
        const { parsed = {}, hash: baseHash } = await this.control.document(gateway)
        const change = livePatch(parsed, { ...document })
        if (!change) return false
        if (Object.keys(change.patch).length > 0) {
          await this.control.patchDocument(gateway, change, baseHash)
        }
      }
      if (filesPart(hash) !== filesPart(formerHash)) {
        const personality = files.find(({ path }) => path === PERSONALITY_FILE)
        const name = PERSONALITY_FILE.split('/').at(-1)!
        await this.setFile(gateway, name, personality?.content ?? '')
      }
      return true
    } catch (error) {
      if (error instanceof E_GATEWAY_FAILED) return false
      throw error
    }
  }
}
