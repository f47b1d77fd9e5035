import type { Readable } from 'node:stream'
import { readBeginning } from '#bounded/body'

/** Bytes of an error that are read to classify it. */
const ERROR_BYTES = 64 * 1024

/** Returns an error's text, without the key; empty if reading breaks off or takes longer than `maxMs`. */
export async function errorText(
  body: Readable,
  maxMs: number,
  apiKey: string | null
): Promise<string> {
  const limits = { what: 'The error of the provider', maxBytes: ERROR_BYTES, maxMs }
  return redact(await readBeginning(body, limits).catch(() => ''), apiKey)
}

/** Removes the key, which some services repeat when they refuse it. */
export function redact(text: string, apiKey: string | null): string {
  return apiKey ? text.replaceAll(apiKey, '[key]') : text
}
