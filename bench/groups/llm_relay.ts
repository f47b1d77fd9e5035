import { Child } from '../child.js'
import { firstEvents, target } from '../load.js'
import { Mosaic } from '../mosaic.js'
import { median, percentile, result, type Result } from '../result.js'

const ROUNDS = 16
const WARM_UP = 300
const SAMPLES = 150
const P50_MS = 1

const CALL = { model: 'bench-model', stream: true, messages: [{ role: 'user', content: 'Hello' }] }

/** Measures model calls through the LLM relay, alternating with direct calls to the same provider. */
export async function llmRelayGroup(): Promise<Result[]> {
  const provider = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [provider]
  try {
    const { url } = provider.ready
    const mosaic = await Mosaic.start(url)
    running.push(mosaic)
    const { internalUrl, providerId, gatewayToken } = mosaic.facts
    const path = `/api/internal/llm/${providerId}/chat/completions`
    const ways = [
      target(url, '/v1/chat/completions', 'any', CALL),
      target(internalUrl, path, gatewayToken, CALL),
    ]
    const rounds: number[][][] = [[], []]
    for (const to of ways) await firstEvents(to, WARM_UP)
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, to] of ways.entries()) rounds[index].push(await firstEvents(to, SAMPLES))
    }
    const each = (index: number, share: number) =>
      rounds[index].map((samples) => percentile(samples, share))
    const added = (share: number) => {
      const baseline = each(0, share)
      return median(each(1, share).map((value, round) => value - baseline[round]))
    }
    return [
      result({
        id: 'llm-relay.ttfb.p50',
        unit: 'ms',
        value: median(each(1, 0.5)),
        baseline: median(each(0, 0.5)),
        target: `added <= ${P50_MS} ms`,
        ok: added(0.5) <= P50_MS,
        note: `adds ${added(0.5).toFixed(3)} ms to a direct call, at p99 ${added(0.99).toFixed(3)} ms`,
      }),
    ]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}
