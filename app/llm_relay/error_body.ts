import type { Readable } from 'node:stream'

/** As much of an error as is read to understand it, in bytes. */
const LIMIT = 64 * 1024

/** The beginning of an error's body as text. The rest is thrown away; what breaks off says what it said. */
export async function errorText(body: Readable, withinMs: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const late = setTimeout(() => body.destroy(), withinMs)
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= LIMIT) break
    }
  } catch {
    /** What came until then is what it said. */
  } finally {
    clearTimeout(late)
  }
  return Buffer.concat(chunks).subarray(0, LIMIT).toString('utf8')
}
