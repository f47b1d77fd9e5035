import type { IncomingHttpHeaders } from 'node:http'
import { E_COMPRESSED_BODY } from '#identity/errors'

/**
 * Refuses a compressed body unread: only decompression shows its size.
 *
 * @throws E_COMPRESSED_BODY
 */
export function demandPlainBody({ 'content-encoding': encoding }: IncomingHttpHeaders): void {
  const isPlain = encoding === undefined || encoding.trim().toLowerCase() === 'identity'
  if (!isPlain) throw new E_COMPRESSED_BODY()
}
