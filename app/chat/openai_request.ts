import { parseJson } from '#bounded/json'
import { newTurn, wholeHistory, type RequestMessage } from '#chat/turn_messages'
import { conversationName, type Naming } from '#chat/conversation_name'
import { sessionKey } from '#chat/session_key'
import {
  E_CHAT_MESSAGE_SHAPE,
  E_CHAT_MODEL_NAME,
  E_CHAT_NO_MESSAGES,
  E_CHAT_NOT_JSON,
} from '#chat/errors'

/** The agent itself, with its owner's choice of models. */
export const AGENT_MODEL = 'openclaw'

/** Names of the agent itself, as OpenClaw's own clients send them. */
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

/** The fields shared by all OpenAI model requests. */
export interface ModelRequest {
  stream: boolean
  /** The model named by the client, or null for the agent itself. */
  namedModel: string | null
  /** The client's request. */
  request: OpenAiBody
}

/** An OpenAI chat request, ready to forward. */
export class ChatRequest implements ModelRequest {
  readonly stream: boolean
  readonly namedModel: string | null
  readonly request: OpenAiBody
  readonly sessionKey: string | null
  /** The client's own bytes if nothing has to change. */
  readonly #unchanged: Buffer | null

  constructor(read: ModelRequest, key: string | null, unchanged: Buffer | null) {
    this.stream = read.stream
    this.namedModel = read.namedModel
    this.request = read.request
    this.sessionKey = key
    this.#unchanged = unchanged
  }

  /** The body for the gateway. */
  get body(): Buffer | string {
    return this.#unchanged ?? chatBody(this.request, this.sessionKey !== null)
  }
}

/**
 * Parses as much of a request as the relay needs; the gateway validates the rest.
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
  const isNamed = name !== null
  const endsWithAnswer = wholeHistory(request.messages) !== request.messages
  const mustChange =
    isNamed || namedModel !== null || hasUser(request) || hasNull(request) || endsWithAnswer
  return new ChatRequest(read, isNamed ? sessionKey('api', name) : null, mustChange ? null : body)
}

/**
 * Reads the fields shared by all OpenAI model requests.
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
    request = parseJson(body.toString())
  } catch {
    throw new E_CHAT_NOT_JSON()
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new E_CHAT_NOT_JSON()
  }
  return request as OpenAiBody
}

/** Rejects what cannot be a message before an agent is woken; the gateway validates the content. */
function isMessage(value: unknown): boolean {
  return typeof (value as RequestMessage | null)?.role === 'string'
}

/** OpenAI's clients send null for omitted fields; a gateway refuses it. */
function hasNull(request: OpenAiBody): boolean {
  return Object.values(request).includes(null)
}

/** A gateway would name a conversation after `user`. */
const hasUser = ({ user }: OpenAiBody) => user !== undefined

/**
 * Builds the body for the gateway. The session key names the conversation and a header names the model, so
 * the body must not contradict them.
 */
export function chatBody(request: OpenAiBody, isNamed: boolean): string {
  const { user: _user, ...rest } = request
  return JSON.stringify({
    ...withoutNulls(rest),
    model: AGENT_MODEL,
    messages: isNamed ? newTurn(request.messages!) : wholeHistory(request.messages!),
  })
}

export function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
