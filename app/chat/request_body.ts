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
 * Reads a whole request body. Once it is refused, the rest is read and discarded: a client that is still
 * sending would not read the response.
 *
 * @throws E_CHAT_TOO_LARGE before excess bytes are buffered, E_CHAT_TOO_SLOW, and whatever `take` throws
 */
export async function readBody(request: IncomingMessage, limits: ReadLimits): Promise<Buffer> {
  const { limit, take } = limits
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new E_CHAT_TOO_LARGE()
  const body = new GrowingBuffer()
  const add = (chunk: Buffer) => {
    if (body.size + chunk.length > limit) throw new E_CHAT_TOO_LARGE()
    take(chunk.length)
    body.add(chunk)
  }
  try {
    /** Most bodies are short and come with their headers: those need no events and no timer. */
    if (hasArrived(request)) add(request.read())
    else await addArriving(request, add, limits.deadlineMs)
  } finally {
    request.resume()
  }
  return body.take()
}

/** Whether the body is in memory as a whole, though the request may not have ended yet. */
function hasArrived({ headers, readableLength }: IncomingMessage): boolean {
  return readableLength > 0 && readableLength === Number(headers['content-length'])
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
    await use(await readBody(request, { limit: BODY_LIMIT, take, deadlineMs }), take)
  } finally {
    hold.release()
  }
}
