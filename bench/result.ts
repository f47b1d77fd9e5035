/** A figure of a run. `ratio` is value / baseline if both have the same unit. */
export interface Result {
  id: string
  unit: string
  value: number
  /** The value's comparison, measured alternately with it in the same run. */
  baseline: number | null
  ratio: number | null
  /** The budget in words, or null if the figure is informative only. */
  target: string | null
  ok: boolean
  /** What was measured, for people. */
  note?: string
}

interface Measured {
  id: string
  unit: string
  value: number
  baseline?: number
  target?: string
  ok?: boolean
  note?: string
}

/** Completes a figure. Without a target it is always `ok`. */
export function result({ baseline, target, ok = true, ...measured }: Measured): Result {
  return {
    ...measured,
    value: rounded(measured.value),
    baseline: baseline === undefined ? null : rounded(baseline),
    ratio: baseline ? rounded(measured.value / baseline) : null,
    target: target ?? null,
    ok,
  }
}

/** Returns the percentile (0 to 1) of the samples. */
export function percentile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export const median = (samples: number[]): number => percentile(samples, 0.5)

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** Formats a figure as a line for people. */
export function toLine(entry: Result): string {
  const baseline = entry.baseline === null ? '' : `baseline ${entry.baseline}`
  const ratio = entry.ratio === null ? '' : `ratio ${entry.ratio}`
  const target = entry.target === null ? '' : `${entry.ok ? 'ok' : 'MISSED'} (${entry.target})`
  const figures = [
    entry.id.padEnd(22),
    `${entry.value} ${entry.unit}`.padEnd(18),
    baseline.padEnd(18),
    ratio.padEnd(13),
    target,
  ]
  return figures.join(' ').trimEnd() + (entry.note ? `\n${' '.repeat(23)}${entry.note}` : '')
}
