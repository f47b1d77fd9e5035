type Unit = 'year' | 'month' | 'day' | 'hour' | 'minute'

/** Units and their lengths in seconds, longest first. */
const UNITS: [Unit, number][] = [
  ['year', 31_536_000],
  ['month', 2_628_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** Rounds seconds to the longest unit that gives at least 1 after rounding. Returns no unit below a minute. */
export function rounded(seconds: number): [number, Unit?] {
  const length = Math.abs(seconds)
  for (const [index, [unit, size]] of UNITS.entries()) {
    /** 59 minutes and 45 seconds are an hour, not 60 minutes. */
    const half = (UNITS[index + 1]?.[1] ?? 0) / 2
    if (length < size - half) continue
    return [Math.sign(seconds) * Math.max(1, Math.round(length / size)), unit]
  }
  return [seconds]
}
