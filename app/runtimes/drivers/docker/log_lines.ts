import { GrowingBuffer } from '#bounded/growing_buffer'

const HEADER = 8

/**
 * The lines of a log as the engine sends it: frames of standard output and standard error, each with a
 * header of eight bytes that ends with the frame's length.
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
