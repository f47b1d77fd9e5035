/** Made-up text whose words are as unequally frequent as those of real text. The same on every run. */

const VOCABULARY = 30_000
const SYLLABLES = ['ba', 'de', 'fi', 'go', 'ku', 'la', 'me', 'ni', 'po', 'ru', 'sa', 'te', 'vi']
const TITLE_WORDS = 5
const BODY_WORDS = 35

export interface Text {
  title: string
  body: string
}

/** Draws texts and queries. */
export class Corpus {
  #seed = 1
  /** Word `n` occurs about half as often as word `n / 2` (Zipf's law). */
  readonly #shares: Float64Array

  constructor() {
    let sum = 0
    this.#shares = Float64Array.from({ length: VOCABULARY }, (_, index) => (sum += 1 / (index + 3)))
  }

  text(): Text {
    return { title: this.#words(TITLE_WORDS), body: this.#words(BODY_WORDS) }
  }

  /** Returns some of a text's words, as one who remembers it might type them. */
  query({ title, body }: Text, count: number): string {
    const words = `${title} ${body}`.split(' ')
    return Array.from({ length: count }, () => words[this.#below(words.length)]).join(' ')
  }

  #words(count: number): string {
    return Array.from({ length: count }, () => wordOf(this.#rank())).join(' ')
  }

  #rank(): number {
    const wanted = this.#random() * this.#shares[VOCABULARY - 1]
    let [low, high] = [0, VOCABULARY - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#shares[middle] < wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /** mulberry32: small, and the same on every machine. */
  #random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Spells a number in syllables. */
function wordOf(rank: number): string {
  let word = ''
  for (let left = rank + SYLLABLES.length; left > 0; left = Math.floor(left / SYLLABLES.length)) {
    word = SYLLABLES[left % SYLLABLES.length] + word
  }
  return word
}
