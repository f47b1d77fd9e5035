/** One series of values over time. Null means no data. */
export interface Series {
  key: string
  label: string
  /** A CSS colour. */
  color: string
  values: (number | null)[]
}

const NICE = [1, 2, 2.5, 5, 10]

/** Returns the smallest round number, at least `value`, that divides into `steps` round integers. */
export function ceiling(value: number, steps: number): number {
  const part = Math.max(value / steps, 1)
  const size = 10 ** Math.floor(Math.log10(part))
  const round = NICE.map((factor) => factor * size).find((one) => one >= part && one % 1 === 0)
  return (round ?? Math.ceil(part)) * steps
}

/** Softens a colour of the UI kit: a filled area is louder than text. */
export const shade = (name: string) => `color-mix(in oklab, var(${name}) 72%, var(--ui-bg))`
