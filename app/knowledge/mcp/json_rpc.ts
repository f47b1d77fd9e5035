import { parseJson } from '#bounded/json'

/**
 * The part of JSON-RPC 2.0 that MCP's streamable HTTP transport needs: one message in, at most one response
 * out.
 */

export type RpcId = string | number

/** A request, or a notification if it has no id. */
export interface RpcMessage {
  id?: RpcId
  method: string
  params: Record<string, unknown>
}

export type RpcAnswer =
  | { jsonrpc: '2.0'; id: RpcId | null; result: object }
  | { jsonrpc: '2.0'; id: RpcId | null; error: { code: number; message: string } }

export const RPC_ERRORS = {
  parse: -32_700,
  invalidRequest: -32_600,
  unknownMethod: -32_601,
  invalidParams: -32_602,
} as const

/** A failure reported to the caller as a JSON-RPC error. */
export class RpcFailure extends Error {
  constructor(
    readonly kind: keyof typeof RPC_ERRORS,
    message: string
  ) {
    super(message)
  }
}

/** @throws RpcFailure */
export function parseMessage(body: string): RpcMessage {
  let parsed: unknown
  try {
    parsed = parseJson(body)
  } catch {
    throw new RpcFailure('parse', 'The message is no JSON.')
  }
  const { jsonrpc, id, method, params = {} } = (isObject(parsed) ? parsed : {}) as any
  const hasId = id === undefined || typeof id === 'string' || typeof id === 'number'
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !hasId || !isObject(params)) {
    throw new RpcFailure('invalidRequest', 'The message is no JSON-RPC 2.0 request.')
  }
  return { id, method, params }
}

export const succeeded = (id: RpcId, result: object): RpcAnswer => ({ jsonrpc: '2.0', id, result })

export const failed = (id: RpcId | null, { kind, message }: RpcFailure): RpcAnswer => ({
  jsonrpc: '2.0',
  id,
  error: { code: RPC_ERRORS[kind], message },
})

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
