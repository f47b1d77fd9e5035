/** Limits the bytes that calls hold in memory, since agents decide how many calls they make at once. */
export class HeldBytes {
  readonly #ofOne = new Map<string, number>()
  #ofAll = 0

  constructor(protected most: { ofOne: number; ofAll: number }) {}

  get bytes(): number {
    return this.#ofAll
  }

  /** Returns false, and counts nothing, if this would exceed the limit of one holder or of all together. */
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
