import { Child, pin } from '../child.js'
import { Connection, requestsWithin, target } from '../load.js'
import { Mosaic } from '../mosaic.js'
import { median, percentile, result, type Result } from '../result.js'

const ROUNDS = 8
const LOAD_MS = 1000
const CONCURRENCY = 8
const SAMPLES = 500

const PER_SECOND = 2000
const P99_MS = 10

/** Measures agents fetching their documents, as at each start, from the internal listener. */
export async function configGroup(): Promise<Result[]> {
  const gateway = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [gateway]
  try {
    const mosaic = await Mosaic.start(gateway.ready.url)
    running.push(mosaic)
    const { internalUrl, userId, gatewayToken } = mosaic.facts
    const to = target(internalUrl, `/api/internal/agent-config/user/${userId}`, gatewayToken)
    pin(mosaic.child.process.pid!, 1)
    pin(process.pid, 0)

    await requestsWithin(to, CONCURRENCY, LOAD_MS)
    const perSecond: number[] = []
    const perCpuSecond: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const cpuBefore = mosaic.child.cpuSeconds()
      const { requests, seconds } = await requestsWithin(to, CONCURRENCY, LOAD_MS)
      perSecond.push(requests / seconds)
      perCpuSecond.push(requests / (mosaic.child.cpuSeconds() - cpuBefore))
    }
    const connection = await Connection.open(to)
    const ends: number[] = []
    for (let i = 0; i < SAMPLES; i++) ends.push((await connection.ask()).end)
    connection.close()
    const p99 = percentile(ends, 0.99)
    return [
      result({
        id: 'config.rps',
        unit: 'requests/s',
        value: median(perSecond),
        target: `>= ${PER_SECOND} per core, p99 <= ${P99_MS} ms`,
        ok: median(perCpuSecond) >= PER_SECOND && p99 <= P99_MS,
        note: `${Math.round(median(perCpuSecond))} per second of processor time; one after the other p99 ${p99.toFixed(2)} ms`,
      }),
    ]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}
