/**
 * The one way to read what somebody else sends: a gateway, an agent, a provider, an engine. None of them
 * decides how much memory or time a read takes.
 */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW } from '#bounded/errors'
import { GrowingBuffer } from '#bounded/growing_buffer'

/** A Node stream or the body of a `Response`. Null is an empty body. */
export type Input = Readable | ReadableStream<Uint8Array> | null | undefined

export interface InputLimits {
  /** The input as the subject of a sentence, for the error: "The answer of the gateway". */
  what: string
  /** The most bytes that are read, after decompression. */
  maxBytes: number
  /** Milliseconds until the end of the input. Left out only where `signal` ends at a deadline. */
  maxMs?: number
  /** Milliseconds between two pieces. */
  idleMs?: number
  signal?: AbortSignal
}

/**
 * The input piece by piece. Leaving the loop, an error and a limit all end the input at its source.
 *
 * @throws E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW, the signal's reason, the input's own error
 */
export async function* pieces(input: Input, limits: InputLimits): AsyncGenerator<Buffer> {
  const { what, maxBytes, maxMs, idleMs, signal } = limits
  signal?.throwIfAborted()
  if (!input) return
  const stream = input instanceof Readable ? input : Readable.fromWeb(input as NodeReadableStream)
  /** A stream that is given up halfway reports an error that nobody awaits. */
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
      /** Time that the reader itself takes is not the sender's. */
      clearTimeout(idle)
      size += piece.length
      if (size > maxBytes) throw new E_INPUT_TOO_LARGE(what, maxBytes)
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

/** The whole input. Throws as `pieces` does. */
export async function readBytes(input: Input, limits: InputLimits): Promise<Buffer> {
  const read = new GrowingBuffer()
  for await (const piece of pieces(input, limits)) read.add(piece)
  return read.take()
}

/** The whole input as UTF-8. Throws as `pieces` does. */
export async function readText(input: Input, limits: InputLimits): Promise<string> {
  return (await readBytes(input, limits)).toString('utf8')
}

/**
 * The whole input as JSON; null for an empty one.
 *
 * @throws SyntaxError where it is none, and as `pieces` does
 */
export async function readJson(input: Input, limits: InputLimits): Promise<unknown> {
  const text = await readText(input, limits)
  return text === '' ? null : JSON.parse(text)
}

/** The first bytes of an input as UTF-8, for an error of somebody else; the rest is not read. */
export async function readBeginning(input: Input, limits: InputLimits): Promise<string> {
  const read = new GrowingBuffer()
  for await (const piece of pieces(input, { ...limits, maxBytes: Infinity })) {
    read.add(piece.subarray(0, limits.maxBytes - read.size))
    if (read.size >= limits.maxBytes) break
  }
  return read.take().toString('utf8')
}
