/** Counts the bytes that calls hold in memory. An agent decides how many calls it makes at the same time. */
export class HeldBytes {
  readonly #ofOne = new Map<string, number>()
  #ofAll = 0

  constructor(protected most: { ofOne: number; ofAll: number }) {}

  get bytes(): number {
    return this.#ofAll
  }

  /** False where that is more than one holder, or all of them together, may hold: then nothing is counted. */
  take(holder: string, bytes: number): boolean {
    const held = this.#ofOne.get(holder) ?? 0
    if (held + bytes > this.most.ofOne || this.#ofAll + bytes > this.most.ofAll) return false
    this.#ofOne.set(holder, held + bytes)
    this.#ofAll += bytes
    return true
  }

  give(holder: string, bytes: number): void {
    const left = (this.#ofOne.get(holder) ?? 0) - bytes
    if (left > 0) this.#ofOne.set(holder, left)
    else this.#ofOne.delete(holder)
    this.#ofAll -= bytes
  }
}
