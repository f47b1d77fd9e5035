/**
 * Milliseconds of the machine's monotonic clock: the same in every process, and independent of the wall clock.
 */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
