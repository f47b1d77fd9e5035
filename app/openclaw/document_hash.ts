import { hashOf } from '#openclaw/canonical_json'

/** Hex digits per half. */
const HALF = 32

/**
 * Returns one hash of 64 hex digits for everything an agent starts from. Its halves show whether the document
 * or its files changed, because each reaches a running agent in a different way.
 */
export function documentHash(document: object, files: object): string {
  return `${hashOf(document).slice(0, HALF)}${hashOf(files).slice(0, HALF)}`
}

export const documentPart = (hash: string) => hash.slice(0, HALF)
export const filesPart = (hash: string) => hash.slice(HALF)
