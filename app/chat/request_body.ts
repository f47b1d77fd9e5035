import type { IncomingMessage } from 'node:http'
import type { AgentKey } from '#agents/types'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { E_CHAT_TOO_LARGE, E_CHAT_TOO_SLOW } from '#chat/errors'
import { demandPlainBody } from '#identity/compressed_body'
import type { BodyHold } from '#identity/held_bodies'
import type { UserLimits } from '#identity/user_limits'

/** Body limit in bytes: a gateway takes 20 MB, but 5 MB already keep it busy for ten seconds. */
const BODY_LIMIT = 10 * 1024 * 1024

/** Sets the limits of a caller's request body. */
export type Bodies = Pick<UserLimits, 'body'>

/** Limits of a request body. */
export interface ReadLimits {
  /** Maximum size in bytes. */
  limit: number
  /** Counts received bytes against the sender's quota; throws if it is exceeded. */
  take(bytes: number): void
  /** Milliseconds until the whole body must have arrived. */
  deadlineMs: number
}

/**
 * Reads a whole request body: without a promise, events or a timer if it came with its headers, as most do. Once it is
 * refused, the rest is read and discarded: a client that is still sending would not read the response.
 *
 * @throws E_CHAT_TOO_LARGE before excess bytes are buffered, E_CHAT_TOO_SLOW, and whatever `take` throws
 */
export function readBody(request: IncomingMessage, limits: ReadLimits): Buffer | Promise<Buffer> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > limits.limit) {
    request.resume()
    throw new E_CHAT_TOO_LARGE()
  }
  if (length === 0 || request.readableLength !== length) return readArriving(request, limits)
  const body: Buffer = request.read()
  /** Its end may not have been read yet, without which the connection serves no other request. */
  if (!request.complete) request.resume()
  limits.take(length)
  return body
}

async function readArriving(request: IncomingMessage, limits: ReadLimits): Promise<Buffer> {
  const { limit, take, deadlineMs } = limits
  const body = new GrowingBuffer()
  const add = (chunk: Buffer) => {
    if (body.size + chunk.length > limit) throw new E_CHAT_TOO_LARGE()
    take(chunk.length)
    body.add(chunk)
  }
  try {
    await addArriving(request, add, deadlineMs)
  } finally {
    request.resume()
  }
  return body.take()
}

/** Resolves once the body has ended. @throws E_CHAT_TOO_SLOW, and whatever `add` throws */
async function addArriving(
  request: IncomingMessage,
  add: (chunk: Buffer) => void,
  deadlineMs: number
): Promise<void> {
  const read = Promise.withResolvers<void>()
  const receive = (chunk: Buffer) => {
    try {
      add(chunk)
    } catch (error) {
      read.reject(error as Error)
    }
  }
  const timer = setTimeout(() => read.reject(new E_CHAT_TOO_SLOW()), deadlineMs)
  request.on('data', receive)
  request.once('end', read.resolve)
  request.once('error', read.reject)
  try {
    await read.promise
  } finally {
    request.off('data', receive)
    clearTimeout(timer)
  }
}

/**
 * Reads a caller's request body and counts it against the caller's limits until `use` has ended.
 *
 * @throws E_COMPRESSED_BODY, as `readBody`, and whatever `use` throws
 */
export async function withBody(
  bodies: Bodies,
  { agent, request }: { agent: AgentKey; request: IncomingMessage },
  /** `take` counts further bytes that are held for the request. */
  use: (bytes: Buffer, take: BodyHold['take']) => Promise<void>
): Promise<void> {
  demandPlainBody(request.headers)
  const { hold, deadlineMs } = bodies.body(agent)
  try {
    const { take } = hold
    const body = readBody(request, { limit: BODY_LIMIT, take, deadlineMs })
    await use(body instanceof Promise ? await body : body, take)
  } finally {
    hold.release()
  }
}
