/** Not 403, which some engines answer with for reasons of their own: a range that overlaps another. */
const REFUSED = 422

/** Why a request goes no further. The message reaches the caller as the engine's own errors do. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: 400 | 413 | typeof REFUSED = REFUSED
  ) {
    super(message)
  }
}
