export interface LineCounts {
  /** Maximum number of lines. */
  maxLines: number
  /** Maximum characters per line; the rest is cut off. */
  maxLength: number
  /** Stops reading, and the source with it. */
  signal: AbortSignal
}

/**
 * Returns the first lines of an untrusted generator, even if it is endless or breaks its contract.
 *
 * @throws the signal's reason, what the generator throws
 */
export async function linesOf(
  lines: AsyncIterable<string>,
  { maxLines, maxLength, signal }: LineCounts
): Promise<string[]> {
  const taken: string[] = []
  for await (const line of lines) {
    signal.throwIfAborted()
    taken.push(line.slice(0, maxLength))
    if (taken.length >= maxLines) break
  }
  return taken
}
