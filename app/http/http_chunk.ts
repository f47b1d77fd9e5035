const CRLF = Buffer.from('\r\n')
const END_OF_BODY = Buffer.from('0\r\n\r\n')

/**
 * Returns one HTTP/1.1 chunk (RFC 9112 §7.1) with all the pieces, in one buffer and so in one write.
 * `last` adds the end of the body; without pieces it is only that end.
 */
export function httpChunk(pieces: Buffer[], last: boolean): Buffer {
  const ending = last ? [END_OF_BODY] : []
  let size = 0
  for (const { length } of pieces) size += length
  if (size === 0) return Buffer.concat(ending)
  return Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), ...pieces, CRLF, ...ending])
}
