import { systemClock, type Clock } from '#timing/clock'

/** Returns a clock on which time passes so many times as fast. */
export function fastClock(factor: number): Clock {
  const [nowAtStart, elapsedAtStart] = [systemClock.now(), systemClock.elapsed()]
  const passed = () => (systemClock.elapsed() - elapsedAtStart) * factor
  return {
    now: () => Math.round(nowAtStart + passed()),
    elapsed: () => elapsedAtStart + passed(),
    wait: (ms, signal) => systemClock.wait(ms / factor, signal),
    after: (ms, callback, options) => systemClock.after(ms / factor, callback, options),
  }
}
