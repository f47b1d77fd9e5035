/** Not 403, which some engines use for their own reasons, such as an overlapping range. */
const REFUSED = 422

/** Why a request is refused. The message reaches the caller in the form of the engine's errors. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: 400 | 413 | typeof REFUSED = REFUSED
  ) {
    super(message)
  }
}
