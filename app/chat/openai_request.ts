import type { IncomingMessage } from 'node:http'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { newTurn, type RequestMessage } from '#chat/turn_messages'
import { sessionKey } from '#chat/session_key'
import {
  E_CHAT_MODEL_NAME,
  E_CHAT_NO_MESSAGES,
  E_CHAT_NOT_JSON,
  E_CHAT_TOO_LARGE,
  E_CHAT_TOO_SLOW,
} from '#chat/errors'

/** The agent itself, with the models that its owner chose. */
export const AGENT_MODEL = 'openclaw'

/** Names of the agent itself, as OpenClaw's own clients write them. */
const AGENT_MODELS = new Set<unknown>([undefined, null, AGENT_MODEL, `${AGENT_MODEL}/default`])

/** A chat request of OpenAI's shape, as the relay sends it on. */
export interface ChatRequest {
  stream: boolean
  sessionKey: string | null
  /** A model that the client named, other than the agent itself. */
  namedModel: string | null
  /** What goes to the gateway: the client's own bytes where nothing had to change. */
  body: Buffer | string
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
 * @throws E_CHAT_NOT_JSON, E_CHAT_NO_MESSAGES, E_CHAT_MODEL_NAME
 */
export function readChatRequest(body: Buffer): ChatRequest {
  const request = parse(body)
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new E_CHAT_NO_MESSAGES()
  }
  const named = typeof request.user === 'string' && request.user.trim() !== ''
  const namedModel = AGENT_MODELS.has(request.model) ? null : request.model
  if (namedModel !== null && typeof namedModel !== 'string') throw new E_CHAT_MODEL_NAME()
  return {
    stream: request.stream === true,
    sessionKey: named ? sessionKey('api', (request.user as string).trim()) : null,
    namedModel,
    body: named || namedModel !== null || hasNull(request) ? rewritten(request, named) : body,
  }
}

interface OpenAiBody {
  messages?: RequestMessage[]
  user?: unknown
  model?: unknown
  stream?: unknown
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
  return request
}

/** OpenAI's clients send null for what they leave out; a gateway refuses it. */
function hasNull(request: OpenAiBody): boolean {
  return Object.values(request).includes(null)
}

/** The session key names the conversation, and a header the model: the body must not say otherwise. */
function rewritten(request: OpenAiBody, named: boolean): string {
  const { user: _user, ...rest } = request
  const given = Object.entries(rest).filter(([, value]) => value !== null)
  return JSON.stringify({
    ...Object.fromEntries(given),
    model: AGENT_MODEL,
    messages: named ? newTurn(request.messages!) : request.messages,
  })
}
