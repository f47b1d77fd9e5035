import { createHash } from 'node:crypto'

/** Addresses of a /29: the machine's, Mosaic's, the agent's, and room for two more. */
const SIZE = 8

/** Divides a range (CIDR) into networks of eight addresses. */
export class Subnets {
  readonly #first: number
  readonly #count: number

  constructor(range: string) {
    const [base, bits] = range.split('/')
    const size = 2 ** (32 - Number(bits))
    this.#first = Math.floor(toNumber(base) / size) * size
    this.#count = Math.floor(size / SIZE)
  }

  /**
   * Yields free networks, starting at a point derived from the name, so that concurrent callers seldom
   * collide.
   *
   * @param taken ranges (CIDR) that are in use
   */
  *candidates(
    name: string,
    taken: string[],
    most: number
  ): Iterable<{ range: string; gateway: string }> {
    const used = taken.filter((range) => range && !range.includes(':')).map(spanOf)
    const start = createHash('sha256').update(name).digest().readUInt32BE(0) % this.#count
    let given = 0
    for (let step = 0; step < this.#count && given < most; step++) {
      const first = this.#first + ((start + step) % this.#count) * SIZE
      if (used.some(([from, to]) => first <= to && from <= first + SIZE - 1)) continue
      given++
      yield { range: `${toText(first)}/29`, gateway: toText(first + 1) }
    }
  }
}

function spanOf(range: string): [from: number, to: number] {
  const [base, bits = '32'] = range.split('/')
  const size = 2 ** (32 - Number(bits))
  const from = Math.floor(toNumber(base) / size) * size
  return [from, from + size - 1]
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}
