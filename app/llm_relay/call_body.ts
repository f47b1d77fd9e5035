import type { Readable } from 'node:stream'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { ReplayableBody } from '#llm_relay/replayable_body'

/**
 * The most that an agent may send with one call, in bytes. OpenClaw takes 20 MB itself; a call repeats
 * the images of a conversation.
 */
export const CALL_LIMIT = 64 * 1024 * 1024

/** The same for an adapter that answers in place: what it reads is parsed as a whole, here. */
export const IN_PLACE_LIMIT = 4 * 1024 * 1024

/**
 * The whole body as JSON, or null for none. For adapters that answer by themselves.
 *
 * @throws E_AGENT_CALL_TOO_LARGE past `limit`
 */
export async function jsonOf(body: Readable, limit: number): Promise<unknown> {
  const read = new GrowingBuffer()
  const pieces = new ReplayableBody(body, limit).open()
  for await (const chunk of pieces as AsyncIterable<Buffer>) read.add(chunk)
  const text = read.take().toString('utf8')
  return text ? JSON.parse(text) : null
}
