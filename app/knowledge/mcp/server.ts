import { isTold } from '#exceptions/told'
import type { KnowledgeAccess } from '#models/types'
import { E_SIMILAR } from '#knowledge/errors'
import { handedOut } from '#knowledge/mcp/handed_out'
import {
  failed,
  isObject,
  parseMessage,
  RpcFailure,
  succeeded,
  type RpcAnswer,
  type RpcMessage,
} from '#knowledge/mcp/json_rpc'
import { TOOLS, type Knowledge, type Tool } from '#knowledge/mcp/tools'

/** The versions of the protocol that this surface fits; the newest first. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** Of these tools. */
const VERSION = '1'

/** Who calls: the owner of the agent's token, and what they allow. */
export interface McpCaller {
  userId: string
  access: Exclude<KnowledgeAccess, 'off'>
}

/**
 * The Model Context Protocol over plain HTTP answers, without sessions: `initialize`, `ping`, `tools/list`,
 * `tools/call`, and notifications, which nothing follows from.
 */
export class McpServer {
  constructor(protected knowledge: Knowledge) {}

  /** Null for a notification. Rejects for a defect only. */
  async answer(caller: McpCaller, body: string): Promise<RpcAnswer | null> {
    let message: RpcMessage
    try {
      message = parseMessage(body)
    } catch (error) {
      return failed(null, error as RpcFailure)
    }
    const { id } = message
    if (id === undefined) return null
    try {
      return succeeded(id, await this.#result(caller, message))
    } catch (error) {
      if (error instanceof RpcFailure) return failed(id, error)
      throw error
    }
  }

  async #result(caller: McpCaller, { method, params }: RpcMessage): Promise<object> {
    switch (method) {
      case 'initialize':
        return this.#initialize(params)
      case 'ping':
        return {}
      case 'tools/list':
        return {
          tools: toolsFor(caller).map(({ name, description, inputSchema }) => {
            return { name, description, inputSchema }
          }),
        }
      case 'tools/call':
        return this.#call(caller, params)
      default:
        throw new RpcFailure('unknownMethod', `There is no method "${method.slice(0, 64)}".`)
    }
  }

  #initialize({ protocolVersion }: RpcMessage['params']): object {
    const version = VERSIONS.find((one) => one === protocolVersion) ?? VERSIONS[0]
    return {
      protocolVersion: version,
      capabilities: { tools: {} },
      serverInfo: { name: 'mosaic', version: VERSION },
    }
  }

  /** What goes wrong inside a tool is a result, so that the model reads it. */
  async #call(caller: McpCaller, params: RpcMessage['params']): Promise<object> {
    const { name, arguments: given = {} } = params
    const called = toolsFor(caller).find((tool) => tool.name === name)
    if (!called)
      throw new RpcFailure('invalidParams', 'There is no such tool, or it is not allowed.')
    if (!isObject(given)) throw new RpcFailure('invalidParams', 'Arguments are an object.')
    try {
      return content(await called.call(this.knowledge, caller.userId, given))
    } catch (error) {
      if (error instanceof E_SIMILAR) return similar(error)
      if ((error as { code?: string }).code === 'E_ROW_NOT_FOUND') {
        return content('There is nothing of this id.', true)
      }
      if (!isTold(error)) throw error
      return content(`${error.code}: ${error.message} ${error.help}`, true)
    }
  }
}

const toolsFor = ({ access }: McpCaller): Tool[] =>
  TOOLS.filter(({ needs }) => access === 'write' || needs === 'read')

const content = (text: string, isError = false) => ({
  content: [{ type: 'text', text }],
  ...(isError && { isError }),
})

/** A question to the model: with the finding that is there, as data. */
function similar({ similar: finding }: E_SIMILAR): object {
  const { id, title, body, author, confirmedAt } = finding
  const question =
    'A finding says nearly the same. Confirm it, correct it with "supersedes", or save again with "force": true.'
  return {
    content: [
      { type: 'text', text: question },
      { type: 'text', text: handedOut([{ id, title, body, author, confirmedAt }]) },
    ],
    isError: true,
  }
}
