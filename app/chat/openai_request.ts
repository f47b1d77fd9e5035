import type { IncomingMessage } from 'node:http'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { newTurn, type RequestMessage } from '#chat/turn_messages'
import { sessionKey } from '#chat/session_key'
import {
  E_CHAT_MODEL_NAME,
  E_CHAT_NO_MESSAGES,
  E_CHAT_NOT_JSON,
  E_CHAT_TOO_LARGE,
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

/**
 * Reads a request's body whole.
 *
 * @throws E_CHAT_TOO_LARGE before the surplus is taken in
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new E_CHAT_TOO_LARGE()
  return new Promise((resolve, reject) => {
    const read = new GrowingBuffer()
    request.on('data', (chunk: Buffer) => {
      if (read.size + chunk.length > limit) {
        request.pause()
        reject(new E_CHAT_TOO_LARGE())
        return
      }
      read.add(chunk)
    })
    request.once('end', () => resolve(read.take()))
    request.once('error', reject)
  })
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
