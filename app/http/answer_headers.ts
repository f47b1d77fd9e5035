/**
 * Headers of every response, files and 404s included: no content sniffing, no framing, and no referrer to other
 * sites, because a URL of Mosaic may be an invitation's.
 */
export const ANSWER_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
}
