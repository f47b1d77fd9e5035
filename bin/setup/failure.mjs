/** A failure that a person can fix: one sentence, and the next step. Shown without a stack. */
export class SetupFailure extends Error {
  /**
   * @param {string} message What is wrong, in one sentence.
   * @param {string} [help] The next step.
   */
  constructor(message, help) {
    super(message)
    this.help = help
  }
}
