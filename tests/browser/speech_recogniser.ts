/** Runs in a page, in place of the browser's recogniser: `hear(...words)` says what was heard so far. */
export function speechRecogniser() {
  class Recogniser {
    onresult = (_event: object) => {}
    onend = () => {}
    start() {
      const hear = (...words: string[]) =>
        this.onresult({ results: words.map((transcript) => [{ transcript }]) })
      Object.assign(globalThis, { hear })
    }
    stop() {
      this.onend()
    }
  }
  Object.assign(globalThis, { SpeechRecognition: Recogniser })
}
