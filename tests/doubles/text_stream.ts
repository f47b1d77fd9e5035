/** Reads an answer as it comes, as far as a test wants. */
export class TextStream {
  text = ''
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()

  constructor(readonly answer: Response) {
    this.#reader = answer.body!.getReader()
  }

  /** Reads on until this text was there; throws when the answer ends before. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      const { done, value } = await this.#reader.read()
      if (done) throw new Error(`The answer ended without "${part}": ${this.text}`)
      this.text += this.#decoder.decode(value, { stream: true })
    }
  }
}
