import type { Readable } from 'node:stream'

/**
 * Waits for the first bytes of a body and gives them, still unread. Null for a body without any. An
 * answer that begins is one that can be passed on: what breaks before that may still become another.
 */
export async function firstChunk(body: Readable): Promise<Buffer | null> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  body.once('readable', resolve)
  body.once('end', resolve)
  body.once('error', reject)
  try {
    await promise
  } finally {
    body.off('readable', resolve)
    body.off('end', resolve)
    body.off('error', reject)
  }
  const chunk = body.read() as Buffer | null
  if (chunk) body.unshift(chunk)
  return chunk
}

/** The beginning of a body as text, at most `limit` bytes. The rest is thrown away. */
export async function beginningOf(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8')
}
