export interface LineCounts {
  /** The most lines that are taken. */
  maxLines: number
  /** The most characters of one; the rest is cut off. */
  maxLength: number
  /** Ends the reading, and with it the source. */
  signal: AbortSignal
}

/**
 * The first lines of somebody's generator, however long it would go on and whatever it promised.
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
