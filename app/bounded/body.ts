/**
 * Bounded reads of all external input, whether from a gateway, an agent, a provider or an engine. No
 * sender decides how much memory or time a read takes.
 */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW } from '#bounded/errors'
import { parseJson } from '#bounded/json'
import { GrowingBuffer } from '#bounded/growing_buffer'

/** A Node stream or the body of a `Response`. Null is an empty body. */
export type Input = Readable | ReadableStream<Uint8Array> | null | undefined

export interface InputLimits {
  /** The input as the subject of the error's sentence: "The answer of the gateway". */
  what: string
  /** Maximum number of bytes, after decompression. */
  maxBytes: number
  /** Milliseconds until the end of the input. Omit it only if `signal` enforces a deadline. */
  maxMs?: number
  /** Maximum milliseconds between two pieces. */
  idleMs?: number
  signal?: AbortSignal
  /** Called for each piece with its bytes, before it is kept. What it throws ends the input. */
  hold?: (bytes: number) => void
}

/**
 * Yields the input piece by piece. Leaving the loop, an error or a limit stops the input at its source.
 *
 * @throws E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW, the signal's reason, the input's own error
 */
export async function* pieces(input: Input, limits: InputLimits): AsyncGenerator<Buffer> {
  const { what, maxBytes, maxMs, idleMs, signal, hold } = limits
  signal?.throwIfAborted()
  if (!input) return
  const stream = input instanceof Readable ? input : Readable.fromWeb(input as NodeReadableStream)
  /** An abandoned stream emits an error that no one handles. */
  stream.on('error', () => {})
  const end = (reason: unknown) => stream.destroy(reason as Error)
  const endAfter = (ms?: number) =>
    ms === undefined ? undefined : setTimeout(() => end(new E_INPUT_TOO_SLOW(what, ms)), ms)
  const leave = () => end(signal!.reason)
  signal?.addEventListener('abort', leave, { once: true })
  const deadline = endAfter(maxMs)
  let idle = endAfter(idleMs)
  let size = 0
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      /** The reader's own time does not count against the sender. */
      clearTimeout(idle)
      size += piece.length
      if (size > maxBytes) throw new E_INPUT_TOO_LARGE(what, maxBytes)
      hold?.(piece.length)
      yield Buffer.isBuffer(piece)
        ? piece
        : Buffer.from(piece.buffer, piece.byteOffset, piece.length)
      idle = endAfter(idleMs)
    }
  } finally {
    clearTimeout(deadline)
    clearTimeout(idle)
    signal?.removeEventListener('abort', leave)
    stream.destroy()
  }
}

/** Reads the whole input. Throws as `pieces` does. */
export async function readBytes(input: Input, limits: InputLimits): Promise<Buffer> {
  const read = new GrowingBuffer()
  for await (const piece of pieces(input, limits)) read.add(piece)
  return read.take()
}

/** Reads the whole input as UTF-8. Throws as `pieces` does. */
export async function readText(input: Input, limits: InputLimits): Promise<string> {
  return (await readBytes(input, limits)).toString('utf8')
}

/**
 * Reads the whole input as JSON; null if it is empty.
 *
 * @throws SyntaxError for invalid or deeply nested JSON, and as `pieces` does
 */
export async function readJson(input: Input, limits: InputLimits): Promise<unknown> {
  const text = await readText(input, limits)
  return text === '' ? null : parseJson(text)
}

/** Reads the first bytes of an input as UTF-8, to quote in an error. The rest is discarded. */
export async function readBeginning(input: Input, limits: InputLimits): Promise<string> {
  const read = new GrowingBuffer()
  for await (const piece of pieces(input, { ...limits, maxBytes: Infinity })) {
    read.add(piece.subarray(0, limits.maxBytes - read.size))
    if (read.size >= limits.maxBytes) break
  }
  return read.take().toString('utf8')
}
