import { hashOf } from '#openclaw/canonical_json'

/** Digits of each half. */
const HALF = 32

/**
 * One hash of 64 hex digits for what an agent starts from. Its halves tell whether the document changed, or
 * the files beside it: they reach an agent that runs in different ways.
 */
export function documentHash(document: object, files: object): string {
  return `${hashOf(document).slice(0, HALF)}${hashOf(files).slice(0, HALF)}`
}

export const documentPart = (hash: string) => hash.slice(0, HALF)
export const filesPart = (hash: string) => hash.slice(HALF)
