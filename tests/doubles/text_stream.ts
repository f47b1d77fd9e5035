/** Reads a response as it arrives, until the test stops reading. */
export class TextStream {
  text = ''
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()

  constructor(readonly answer: Response) {
    this.#reader = answer.body!.getReader()
  }

  /** Reads until this text arrives; throws if the response ends first. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      const { done, value } = await this.#reader.read()
      if (done) throw new Error(`The answer ended without "${part}": ${this.text}`)
      this.text += this.#decoder.decode(value, { stream: true })
    }
  }
}
