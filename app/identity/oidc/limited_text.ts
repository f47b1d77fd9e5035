/** Documents, keys and tokens of a provider are a few kilobytes each. */
const MAX_BYTES = 512 * 1024

/**
 * The body of an answer that an unknown server sent.
 *
 * @throws RangeError when it is larger than any such answer is
 */
export async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new RangeError('The answer is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
