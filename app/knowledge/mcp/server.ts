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

/** Supported protocol versions, newest first. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** Version of the tool set. */
const VERSION = '1'

/** The caller: the owner of the agent's token, and the access they grant. */
export interface McpCaller {
  userId: string
  access: Exclude<KnowledgeAccess, 'off'>
}

/**
 * The Model Context Protocol over plain HTTP responses, without sessions: `initialize`, `ping`, `tools/list`,
 * `tools/call`, and notifications, which are ignored.
 */
export class McpServer {
  constructor(
    protected knowledge: Knowledge,
    /** Counts a call before it is made. @throws E_TOO_MANY_REQUESTS */
    protected count: (userId: string, needs: Tool['needs']) => Promise<void> = async () => {}
  ) {}

  /** Returns null for a notification. Rejects only because of a defect. */
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

  /** Tool errors are returned as results, so that the model reads them. */
  async #call(caller: McpCaller, params: RpcMessage['params']): Promise<object> {
    const { name, arguments: given = {} } = params
    const called = toolsFor(caller).find((tool) => tool.name === name)
    if (!called)
      throw new RpcFailure('invalidParams', 'There is no such tool, or it is not allowed.')
    if (!isObject(given)) throw new RpcFailure('invalidParams', 'Arguments are an object.')
    try {
      await this.count(caller.userId, called.needs)
      return content(await called.call(this.knowledge, caller.userId, given))
    } catch (error) {
      if (error instanceof E_SIMILAR) return similar(error)
      if ((error as { code?: string }).code === 'E_ROW_NOT_FOUND') {
        return content('There is nothing of this id.', true)
      }
      if (isTooMany(error)) return content(TOO_MANY, true)
      if (!isTold(error)) throw error
      return content(`${error.code}: ${error.message} ${error.help}`, true)
    }
  }
}

const TOO_MANY = 'E_TOO_MANY_REQUESTS: You call tools too often. Wait a minute, then try again.'

const isTooMany = (error: unknown) => (error as { code?: string }).code === 'E_TOO_MANY_REQUESTS'

const toolsFor = ({ access }: McpCaller): Tool[] =>
  TOOLS.filter(({ needs }) => access === 'write' || needs === 'read')

const content = (text: string, isError = false) => ({
  content: [{ type: 'text', text }],
  ...(isError && { isError }),
})

/** Asks the model what to do, with the existing finding as data. */
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
