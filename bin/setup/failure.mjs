/** Something that a person can mend: one sentence, and what to do next. Shown without a stack. */
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
