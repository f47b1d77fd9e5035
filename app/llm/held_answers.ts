import { addAbortSignal, Readable } from 'node:stream'
import { HeldBytes } from '#bounded/held_bytes'
import type { Fetch } from '#llm/contract'
import { E_LLM_ANSWERS_FULL } from '#llm/errors'

const MB = 1024 * 1024

/**
 * Bytes of answers to connection tests and calls for vectors, by the agent of their owner. One may have 8 MB;
 * services decide how long they take, and owners and agents how many calls they make at once.
 */
export const answers = new HeldBytes({ ofOne: 32 * MB, ofAll: 128 * MB })

/**
 * Counts what `use` receives by the given fetch as held until `use` has ended.
 *
 * @throws E_LLM_ANSWERS_FULL, and whatever `use` throws
 */
export async function whileHeld<Result>(
  holder: string,
  fetch: Fetch,
  use: (fetch: Fetch) => Promise<Result>,
  held = answers
): Promise<Result> {
  let bytes = 0
  let isRefused = false
  const take = (length: number) => {
    isRefused ||= !held.take(holder, length)
    if (isRefused) throw new E_LLM_ANSWERS_FULL()
    bytes += length
  }
  try {
    const result = await use(async (url, init) => counted(await fetch(url, init), take))
    /** Adapters turn any failure of a call into a result. */
    if (isRefused) throw new E_LLM_ANSWERS_FULL()
    return result
  } finally {
    held.give(holder, bytes)
  }
}

/**
 * Returns a text as a body that counts as held until it is read or the signal aborts.
 *
 * @throws E_LLM_ANSWERS_FULL
 */
export function heldBody(
  holder: string,
  text: Buffer,
  signal: AbortSignal,
  held = answers
): Readable {
  if (!held.take(holder, text.length)) throw new E_LLM_ANSWERS_FULL()
  const body = Readable.from([text])
  body.once('close', () => held.give(holder, text.length))
  /** A reader that left. */
  body.on('error', () => {})
  return addAbortSignal(signal, body)
}

function counted(response: Response, take: (bytes: number) => void): Response {
  if (!response.body) return response
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, passed) {
      take(piece.length)
      passed.enqueue(piece)
    },
  })
  const { status, statusText, headers } = response
  return new Response(response.body.pipeThrough(count), { status, statusText, headers })
}
