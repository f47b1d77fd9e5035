const END_OF_BODY = '0\r\n\r\n'

/**
 * Returns one HTTP/1.1 chunk (RFC 9112 §7.1), and so one write. `last` adds the end of the body; without text it is
 * only that end.
 *
 * @param text Latin-1, one character for each byte
 */
export function httpChunk(text: string, last: boolean): string {
  const ending = last ? END_OF_BODY : ''
  return text === '' ? ending : `${text.length.toString(16)}\r\n${text}\r\n${ending}`
}
