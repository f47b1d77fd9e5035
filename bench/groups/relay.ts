import { Child, pin } from '../child.js'
import { firstEvents, requestsWithin, target, type Target } from '../load.js'
import { Mosaic } from '../mosaic.js'
import { median, percentile, result, type Result } from '../result.js'

const ROUNDS = 8
const WARM_UP = 300
const SAMPLES_PER_ROUND = 250
const CONCURRENCY = 32
const LOAD_MS = 2000

const CHAT = { model: 'openclaw', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
const PATH = '/v1/chat/completions'

interface Way {
  to: Target
  /** The process in between, or null for a direct call. */
  between: Child<unknown> | null
  firstEvents: number[]
  perSecond: number[]
  cpuMicroseconds: number[]
}

/** A call through the relay beside a direct call and a bare pipe, in turns. */
export async function relayGroup(): Promise<Result[]> {
  const gateway = await Child.start<{ url: string }>('gateway_double')
  const { url } = gateway.ready
  const running: { stop(): Promise<void> }[] = [gateway]
  try {
    const mosaic = await Mosaic.start(url)
    running.push(mosaic)
    const pipes = await Promise.all(
      ['request', 'stream'].map((way) =>
        Child.start<{ url: string }>('bare_pipe', { args: [url, way] })
      )
    )
    running.push(...pipes)
    const { facts } = mosaic
    const way = (to: string, token: string, between: Child<unknown> | null): Way => ({
      to: target(to, PATH, token, CHAT),
      between,
      firstEvents: [],
      perSecond: [],
      cpuMicroseconds: [],
    })
    const ways = {
      direct: way(url, 'any', null),
      request: way(pipes[0].ready.url, 'any', pipes[0]),
      stream: way(pipes[1].ready.url, 'any', pipes[1]),
      mosaic: way(facts.url, facts.accessToken, mosaic.child),
    }
    const pinned = [...pipes, mosaic.child].every(({ process: { pid } }) => pin(pid!, 1))
    pin(gateway.process.pid!, 0)
    pin(process.pid, 0)
    await measure(Object.values(ways))
    return figures(ways, pinned)
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

async function measure(ways: Way[]): Promise<void> {
  for (const { to } of ways) {
    await firstEvents(to, WARM_UP)
    await requestsWithin(to, CONCURRENCY, LOAD_MS / 2)
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) way.firstEvents.push(...(await firstEvents(way.to, SAMPLES_PER_ROUND)))
    for (const way of ways) {
      const cpuBefore = way.between?.cpuSeconds() ?? 0
      const { requests, seconds } = await requestsWithin(way.to, CONCURRENCY, LOAD_MS)
      const cpu = (way.between?.cpuSeconds() ?? 0) - cpuBefore
      way.perSecond.push(requests / seconds)
      way.cpuMicroseconds.push((cpu * 1e6) / requests)
    }
  }
}

function figures(ways: Record<'direct' | 'request' | 'stream' | 'mosaic', Way>, pinned: boolean) {
  const { direct, mosaic } = ways
  const [pipe, kind] =
    median(ways.stream.perSecond) > median(ways.request.perSecond)
      ? [ways.stream, 'undici.stream']
      : [ways.request, 'undici.request and pipe']
  const place = pinned ? 'each proxy alone on core 1, the load on core 0' : 'cores shared'

  const ttfb = (share: number, budgetMs: number) => {
    const value = percentile(mosaic.firstEvents, share)
    const baseline = percentile(direct.firstEvents, share)
    const added = value - baseline
    const bare = percentile(pipe.firstEvents, share) - baseline
    return result({
      id: `relay.ttfb.p${share * 100}`,
      unit: 'ms',
      value,
      baseline,
      target: `added <= ${budgetMs} ms`,
      ok: added <= budgetMs,
      note: `added ${added.toFixed(3)} ms; the bare pipe adds ${bare.toFixed(3)} ms; baseline is a direct call`,
    })
  }
  const ratios = mosaic.perSecond.map((value, round) => value / pipe.perSecond[round])
  return [
    ttfb(0.5, 1),
    ttfb(0.99, 5),
    result({
      id: 'relay.rps.c32',
      unit: 'requests/s',
      value: median(mosaic.perSecond),
      baseline: median(pipe.perSecond),
      target: '>= 0.9 of a bare undici pipe',
      ok: median(mosaic.perSecond) / median(pipe.perSecond) >= 0.9,
      note: `${place}; pipe is ${kind}, the faster of two; median ratio of a round ${median(ratios).toFixed(3)}; direct ${Math.round(median(direct.perSecond))}/s`,
    }),
    result({
      id: 'relay.cpu.c32',
      unit: 'µs/request',
      value: median(mosaic.cpuMicroseconds),
      baseline: median(pipe.cpuMicroseconds),
      note: 'processor time of the proxy: what other work on the machine disturbs least',
    }),
  ]
}
