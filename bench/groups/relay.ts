import { Child, pin } from '../child.js'
import { firstEvents, requestsWithin, target, type Target } from '../load.js'
import { Mosaic } from '../mosaic.js'
import { median, percentile, result, type Result } from '../result.js'

/**
 * Many short rounds instead of a few long ones: other load on the machine then affects all ways alike, and
 * ratios are taken within a round.
 */
const ROUNDS = 24
const WARM_UP_MS = 2000
const LOAD_MS = 500
const SAMPLES = 150
const CONCURRENCY = 32

const RATIO = 0.9

const CHAT = { model: 'openclaw', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
const PATH = '/v1/chat/completions'

/** One way to the gateway, with one measurement per round. */
interface Way {
  to: Target
  /** The process in between, or null for a direct call. */
  between: Child<unknown> | null
  firstEvents: number[][]
  perSecond: number[]
  /** The intermediate process's total processor time in seconds, and its requests. */
  cpuSeconds: number
  requests: number
}

interface Ways {
  direct: Way
  pipe: Way
  stream: Way
  mosaic: Way
}

/** Measures calls through the relay, alternating with direct calls and bare proxies. */
export async function relayGroup(): Promise<Result[]> {
  const gateway = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [gateway]
  try {
    const { url } = gateway.ready
    const mosaic = await Mosaic.start(url)
    running.push(mosaic)
    const [pipe, stream] = await Promise.all(
      ['request', 'stream'].map((how) => {
        return Child.start<{ url: string }>('bare_pipe', { args: [url, how] })
      })
    )
    running.push(pipe, stream)
    const ways: Ways = {
      direct: newWay(url, 'any', null),
      pipe: newWay(pipe.ready.url, 'any', pipe),
      stream: newWay(stream.ready.url, 'any', stream),
      mosaic: newWay(mosaic.facts.url, mosaic.facts.accessToken, mosaic.child),
    }
    const all = Object.values(ways)
    for (const { to } of all) await requestsWithin(to, CONCURRENCY, WARM_UP_MS)
    for (const way of turns(all)) way.firstEvents.push(await firstEvents(way.to, SAMPLES))

    const pinned = [pipe, stream, mosaic.child].every((child) => pin(child.process.pid!, 1))
    pin(gateway.process.pid!, 0)
    pin(process.pid, 0)
    for (const way of turns(all)) await load(way)
    return [firstEvent(ways, 0.5, 1), firstEvent(ways, 0.99, 5), ...throughput(ways, pinned)]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

function newWay(url: string, token: string, between: Child<unknown> | null): Way {
  const to = target(url, PATH, token, CHAT)
  return { to, between, firstEvents: [], perSecond: [], cpuSeconds: 0, requests: 0 }
}

/** Yields each way once a round, rotating the order so that none always follows the same one. */
function* turns(ways: Way[]): Iterable<Way> {
  for (let round = 0; round < ROUNDS; round++) yield* round % 2 === 0 ? ways : ways.toReversed()
}

async function load(way: Way): Promise<void> {
  const cpuBefore = way.between?.cpuSeconds() ?? 0
  const { requests, seconds } = await requestsWithin(way.to, CONCURRENCY, LOAD_MS)
  way.cpuSeconds += (way.between?.cpuSeconds() ?? 0) - cpuBefore
  way.requests += requests
  way.perSecond.push(requests / seconds)
}

/** The relay's overhead over a direct call: the median of the overheads of each round. */
function firstEvent({ direct, pipe, mosaic }: Ways, share: number, budgetMs: number): Result {
  const each = (way: Way) => way.firstEvents.map((samples) => percentile(samples, share))
  const added = (way: Way) => {
    const baseline = each(direct)
    return median(each(way).map((value, round) => value - baseline[round]))
  }
  return result({
    id: `relay.ttfb.p${share * 100}`,
    unit: 'ms',
    value: median(each(mosaic)),
    baseline: median(each(direct)),
    target: `added <= ${budgetMs} ms`,
    ok: added(mosaic) <= budgetMs,
    note: `adds ${added(mosaic).toFixed(3)} ms to a direct call; the bare pipe adds ${added(pipe).toFixed(3)} ms`,
  })
}

function throughput({ direct, pipe, stream, mosaic }: Ways, pinned: boolean): Result[] {
  const against = (way: Way) =>
    median(mosaic.perSecond.map((value, round) => value / way.perSecond[round]))
  const perSecond = (way: Way) => Math.round(median(way.perSecond))
  const cpu = (way: Way) => (way.cpuSeconds * 1e6) / way.requests
  const cores = pinned ? 'each proxy alone on core 1, the load on core 0' : 'cores shared'
  return [
    {
      ...result({
        id: 'relay.rps.c32',
        unit: 'requests/s',
        value: perSecond(mosaic),
        baseline: perSecond(pipe),
        target: `>= ${RATIO} of a bare undici pipe`,
        ok: against(pipe) >= RATIO,
        note: `${cores}; undici.stream, which needs no pipe, ${perSecond(stream)}/s (ratio ${against(stream).toFixed(3)}); direct ${perSecond(direct)}/s`,
      }),
      ratio: Number(against(pipe).toFixed(4)),
    },
    result({
      id: 'relay.cpu.c32',
      unit: 'µs/request',
      value: cpu(mosaic),
      baseline: cpu(pipe),
      note: `processor time of the proxy, which other work on the machine disturbs least; undici.stream ${cpu(stream).toFixed(1)}`,
    }),
  ]
}
