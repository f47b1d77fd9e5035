/**
 * The first of these words that a stream holds, or null. Reads it once, however long it is: half a
 * gigabyte of an image never lies in memory whole.
 */
export async function containsAny(
  stream: AsyncIterable<Uint8Array | string>,
  words: string[]
): Promise<string | null> {
  const longest = Math.max(...words.map((word) => Buffer.byteLength(word)))
  let tail: Buffer = Buffer.alloc(0)
  let found: string | null = null
  for await (const chunk of stream) {
    if (found) continue
    // A word may lie over the border of two chunks.
    const text: Buffer = Buffer.concat([tail, Buffer.from(chunk)])
    found = words.find((word) => text.includes(word)) ?? null
    tail = text.subarray(-longest)
  }
  return found
}
