import { readFileSync } from 'node:fs'

const PACKAGE = new URL('../package.json', import.meta.url)

/**
 * Arguments of `node` for the server, as `npm start` has them. `--min-semi-space-size`: megabytes of the heap's young
 * part. V8 starts with one, where each collection promotes requests in flight to the old part: a message
 * through the relay took a fifth more processor time, and a busy process a hundred megabytes more memory.
 */
export const SERVER_FLAGS = JSON.parse(readFileSync(PACKAGE, 'utf8'))
  .scripts.start.split(' ')
  .filter((word) => word.startsWith('--'))
