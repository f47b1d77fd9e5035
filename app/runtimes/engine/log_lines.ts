import { GrowingBuffer } from '#bounded/growing_buffer'

const HEADER = 8

/**
 * Returns the lines of a log in the engine's format: frames of standard output and standard error, each
 * with an eight-byte header that ends with the frame's length.
 */
export function logLines(bytes: Buffer): string[] {
  const text = new GrowingBuffer()
  for (let at = 0; at + HEADER <= bytes.length;) {
    const end = at + HEADER + bytes.readUInt32BE(at + 4)
    text.add(bytes.subarray(at + HEADER, end))
    at = end
  }
  return text
    .take()
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '')
}
