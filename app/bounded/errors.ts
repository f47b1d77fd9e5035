import { Exception } from '@adonisjs/core/exceptions'

const UNITS = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
] as const

/** An external sender exceeded its size limit. The rest is not read. */
export class E_INPUT_TOO_LARGE extends Exception {
  static override code = 'E_INPUT_TOO_LARGE'
  static override status = 502
  static override help = 'Try again. If it happens again, restart or check what sent it.'

  /** @param what the input as the subject of a sentence: "The answer of the gateway" */
  constructor(what: string, maxBytes: number) {
    super(`${what} is larger than ${size(maxBytes)}, so Mosaic stopped reading it.`)
  }
}

/** An external sender exceeded its time limit. The rest is not read. */
export class E_INPUT_TOO_SLOW extends Exception {
  static override code = 'E_INPUT_TOO_SLOW'
  static override status = 504
  static override help = 'Try again. If it happens again, restart or check what sent it.'

  /** @param what the input as the subject of a sentence: "The answer of the gateway" */
  constructor(what: string, maxMs: number) {
    super(`${what} did not arrive within ${maxMs / 1000} seconds, so Mosaic stopped waiting.`)
  }
}

function size(bytes: number): string {
  const [unit, factor] = UNITS.find(([, least]) => bytes >= least) ?? ['bytes', 1]
  return `${Math.round(bytes / factor)} ${unit}`
}
