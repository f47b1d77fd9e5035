import { readText } from '#bounded/body'

/** Documents, keys and tokens of a provider are a few kilobytes each. */
const MAX_BYTES = 512 * 1024

/** A person waits for it. */
const MAX_MS = 10_000

/**
 * Reads the body of a response from an untrusted server.
 *
 * @throws E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW
 */
export function limitedText(response: Response): Promise<string> {
  const what = 'The answer of the OpenID provider'
  return readText(response.body, { what, maxBytes: MAX_BYTES, maxMs: MAX_MS })
}
