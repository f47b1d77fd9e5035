import { Transform, type Readable } from 'node:stream'
import { E_AGENT_CALL_TOO_LARGE } from '#llm_relay/errors'

/**
 * The most that an agent may send with one call, in bytes. OpenClaw takes 20 MB itself; a call repeats
 * the images of a conversation.
 */
export const CALL_LIMIT = 64 * 1024 * 1024

/** Passes a body on as it comes, and fails once it is larger than allowed. */
export function limited(body: Readable, limit: number): Readable {
  let size = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done(size > limit ? new E_AGENT_CALL_TOO_LARGE() : null, chunk)
    },
  })
  body.once('error', (error) => counter.destroy(error))
  /** A provider may have answered before the agent sent all of it: then nobody listens any more. */
  counter.on('error', () => {})
  return body.pipe(counter)
}

/** The whole body as JSON, or null for none. For adapters that answer by themselves. */
export async function jsonOf(body: Readable, limit: number): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of limited(body, limit) as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  return text ? JSON.parse(text) : null
}
