import type { Readable } from 'node:stream'
import { parseJson } from '#bounded/json'
import { GrowingBuffer } from '#bounded/growing_buffer'
import { HeldBytes } from '#bounded/held_bytes'
import { E_AGENT_CALLS_FULL } from '#llm_relay/errors'
import { ReplayableBody } from '#llm_relay/replayable_body'

const MB = 1024 * 1024

/**
 * Size limit of one agent call, in bytes. OpenClaw accepts 20 MB itself; a call repeats all images of a
 * conversation.
 */
export const CALL_LIMIT = 64 * MB

/** The limit for adapters that answer in place: their calls are parsed as a whole in this process. */
export const IN_PLACE_LIMIT = 4 * MB

/** Bytes held at once by calls that are answered in place. A parsed body takes several times its size. */
export const inPlace = new HeldBytes({ ofOne: 2 * IN_PLACE_LIMIT, ofAll: 8 * IN_PLACE_LIMIT })

/**
 * Passes the whole body as JSON, or null if it is empty or no JSON, to an adapter that answers by itself.
 * The body counts as held until the adapter has answered.
 *
 * @param holder the agent making the call
 * @throws E_AGENT_CALL_TOO_LARGE past `limit`, E_AGENT_CALLS_FULL
 */
export async function withJsonOf<Answer>(
  body: Readable,
  limit: number,
  holder: string,
  use: (json: unknown) => Promise<Answer>,
  held = inPlace
): Promise<Answer> {
  const read = new GrowingBuffer()
  const source = new ReplayableBody(body, limit)
  source.release()
  let bytes = 0
  try {
    for await (const piece of source.open() as AsyncIterable<Buffer>) {
      if (!held.take(holder, piece.length)) throw new E_AGENT_CALLS_FULL()
      bytes += piece.length
      read.add(piece)
    }
    const text = read.take().toString('utf8')
    return await use(parsed(text))
  } finally {
    held.give(holder, bytes)
  }
}

/** Returns null for a text that is no JSON, as for none: the caller refuses both. */
function parsed(text: string): unknown {
  try {
    return text ? parseJson(text) : null
  } catch {
    return null
  }
}
