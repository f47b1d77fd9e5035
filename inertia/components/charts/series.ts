/** One kind of number over time. A null says nothing of its time. */
export interface Series {
  key: string
  label: string
  /** As CSS writes it. */
  color: string
  values: (number | null)[]
}

const NICE = [1, 2, 2.5, 5, 10]

/** The least round number, not below `value`, whose `steps` parts are round and whole too. */
export function ceiling(value: number, steps: number): number {
  const part = Math.max(value / steps, 1)
  const size = 10 ** Math.floor(Math.log10(part))
  const round = NICE.map((factor) => factor * size).find((one) => one >= part && one % 1 === 0)
  return (round ?? Math.ceil(part)) * steps
}

/** A colour of the kit, softer: an area of it is louder than a word. */
export const shade = (name: string) => `color-mix(in oklab, var(${name}) 72%, var(--ui-bg))`
