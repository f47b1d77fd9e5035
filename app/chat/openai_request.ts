import type { IncomingMessage } from 'node:http'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { newTurn, type RequestMessage } from '#chat/turn_messages'
import { conversationName, type Naming } from '#chat/conversation_name'
import { sessionKey } from '#chat/session_key'
import {
  E_CHAT_MESSAGE_SHAPE,
  E_CHAT_MODEL_NAME,
  E_CHAT_NO_MESSAGES,
  E_CHAT_NOT_JSON,
  E_CHAT_TOO_LARGE,
  E_CHAT_TOO_SLOW,
} from '#chat/errors'

/** The agent itself, with the models that its owner chose. */
export const AGENT_MODEL = 'openclaw'

/** Names of the agent itself, as OpenClaw's own clients write them. */
const AGENT_MODELS = new Set<unknown>([
  undefined,
  null,
  AGENT_MODEL,
  ...['default', 'main'].flatMap((name) => [
    `${AGENT_MODEL}/${name}`,
    `${AGENT_MODEL}:${name}`,
    `agent:${name}`,
  ]),
])

/** A request of OpenAI's shape, as far as every call of a model has it. */
export interface ModelRequest {
  stream: boolean
  /** A model that the client named, other than the agent itself. */
  namedModel: string | null
  /** What the client sent. */
  request: OpenAiBody
}

/** A chat request of OpenAI's shape, as the relay sends it on. */
export interface ChatRequest extends ModelRequest {
  sessionKey: string | null
  /** What goes to the gateway: the client's own bytes where nothing had to change. */
  readonly body: Buffer | string
}

/** What a body may take. */
export interface ReadLimits {
  /** Bytes of one body. */
  limit: number
  /** Counts them against what its sender may have held. */
  take(bytes: number): void
  /** Milliseconds until all of it must be there. */
  deadlineMs: number
}

/**
 * Reads a request's body whole. Of what is refused nothing more is kept: the rest is read unseen, as a client that
 * still sends would not read the answer.
 *
 * @throws E_CHAT_TOO_LARGE before the surplus is taken in, E_CHAT_TOO_SLOW, and what `take` throws
 */
export async function readBody(
  request: IncomingMessage,
  { limit, take, deadlineMs }: ReadLimits
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new E_CHAT_TOO_LARGE()
  const read = Promise.withResolvers<Buffer>()
  const body = new GrowingBuffer()
  const receive = (chunk: Buffer) => {
    try {
      if (body.size + chunk.length > limit) throw new E_CHAT_TOO_LARGE()
      take(chunk.length)
      body.add(chunk)
    } catch (error) {
      read.reject(error as Error)
    }
  }
  const timer = setTimeout(() => read.reject(new E_CHAT_TOO_SLOW()), deadlineMs)
  request.on('data', receive)
  request.once('end', () => read.resolve(body.take()))
  request.once('error', read.reject)
  try {
    return await read.promise
  } catch (error) {
    request.off('data', receive).resume()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Understands as much of a request as the relay needs; the rest is the gateway's to check.
 *
 * @throws E_CHAT_NOT_JSON, E_CHAT_NO_MESSAGES, E_CHAT_MESSAGE_SHAPE, E_CHAT_MODEL_NAME
 */
export function readChatRequest(body: Buffer, naming: Naming = {}): ChatRequest {
  const read = readModelRequest(body)
  const { request, namedModel } = read
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new E_CHAT_NO_MESSAGES()
  }
  if (!request.messages.every(isMessage)) throw new E_CHAT_MESSAGE_SHAPE()
  const name = conversationName(request, naming)
  const mustChange = name !== null || namedModel !== null || hasUser(request) || hasNull(request)
  return {
    ...read,
    sessionKey: name === null ? null : sessionKey('api', name),
    get body() {
      return mustChange ? chatBody(request, name !== null) : body
    },
  }
}

/**
 * Reads what every call of OpenAI's API names.
 *
 * @throws E_CHAT_NOT_JSON, E_CHAT_MODEL_NAME
 */
export function readModelRequest(body: Buffer): ModelRequest {
  const request = parse(body)
  const namedModel = AGENT_MODELS.has(request.model) ? null : request.model
  if (namedModel !== null && typeof namedModel !== 'string') throw new E_CHAT_MODEL_NAME()
  return { stream: request.stream === true, namedModel, request }
}

export interface OpenAiBody {
  messages?: RequestMessage[]
  user?: unknown
  model?: unknown
  stream?: unknown
  metadata?: unknown
  [field: string]: unknown
}

function parse(body: Buffer): OpenAiBody {
  let request: unknown
  try {
    request = JSON.parse(body.toString())
  } catch {
    throw new E_CHAT_NOT_JSON()
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new E_CHAT_NOT_JSON()
  }
  return request as OpenAiBody
}

/** No agent wakes for what cannot be a message; its content is the gateway's to check. */
function isMessage(value: unknown): boolean {
  return typeof (value as RequestMessage | null)?.role === 'string'
}

/** OpenAI's clients send null for what they leave out; a gateway refuses it. */
function hasNull(request: OpenAiBody): boolean {
  return Object.values(request).includes(null)
}

/** A gateway would name a conversation by it. */
const hasUser = ({ user }: OpenAiBody) => user !== undefined

/**
 * The body as a gateway takes it. The session key names the conversation, and a header the model: the body must
 * not say otherwise.
 */
export function chatBody(request: OpenAiBody, isNamed: boolean): string {
  const { user: _user, ...rest } = request
  return JSON.stringify({
    ...withoutNulls(rest),
    model: AGENT_MODEL,
    messages: isNamed ? newTurn(request.messages!) : request.messages,
  })
}

export function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
