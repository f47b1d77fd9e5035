import { Child } from '../child.js'
import { Mosaic, type EnsureFigures } from '../mosaic.js'
import { result, type Result } from '../result.js'

const BUDGET_MICROSECONDS = 50

/** Measures `ensureRunning` on a running agent, inside the web process. */
export async function ensureGroup(): Promise<Result[]> {
  const gateway = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [gateway]
  try {
    const mosaic = await Mosaic.start(gateway.ready.url)
    running.push(mosaic)
    const { microseconds, queries } = await mosaic.child.ask<EnsureFigures>('ensure')
    return [
      result({
        id: 'ensure.warm',
        unit: 'µs',
        value: microseconds,
        target: `<= ${BUDGET_MICROSECONDS} µs, 0 queries`,
        ok: microseconds <= BUDGET_MICROSECONDS && queries === 0,
        note: `${queries} queries in 200,000 calls`,
      }),
    ]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}
