import { firstEvents, requestsWithin } from '../load.js'
import { openStreams } from '../open_streams.js'
import { RelayWays, type Way } from '../relay_ways.js'
import { median, percentile, result, type Result } from '../result.js'

/**
 * Many short rounds instead of a few long ones: other load on the machine then affects all ways alike, and
 * ratios are taken within a round.
 */
const ROUNDS = 24
const WARM_UP_MS = 2000
const LOAD_MS = 500
const SAMPLES = 150

/** Connections at a time, and the rounds of each. */
const CONCURRENCIES = new Map([
  [1, 12],
  [32, ROUNDS],
  [256, 12],
])
/** Where the processor time of a request is taken. */
const WARM_UP_CONCURRENCY = 32

const RATIO = 0.9

/** Measures calls through the relay, alternating with direct calls, bare proxies and those of others. */
export async function relayGroup(): Promise<Result[]> {
  const ways = await new RelayWays().start()
  try {
    for (const { to } of ways.all) await requestsWithin(to, WARM_UP_CONCURRENCY, WARM_UP_MS)
    for (const way of ways.turns(ROUNDS)) way.firstEvents.push(await firstEvents(way.to, SAMPLES))

    const pinned = ways.pin()
    for (const [connections, rounds] of CONCURRENCIES) {
      for (const way of ways.turns(rounds)) await load(way, connections)
    }
    const cores = pinned ? 'each proxy alone on core 1, the load on core 0' : 'cores shared'
    return [
      firstEvent(ways, 0.5, 1),
      firstEvent(ways, 0.99, 5),
      ...[...CONCURRENCIES.keys()].map((connections) => throughput(ways, connections, cores)),
      processorTime(ways),
      ...(await openStreams(ways.served)),
    ]
  } finally {
    await ways.stop()
  }
}

async function load(way: Way, connections: number): Promise<void> {
  const cpuBefore = way.between?.cpuSeconds() ?? 0
  const { requests, seconds } = await requestsWithin(way.to, connections, LOAD_MS)
  if (connections === WARM_UP_CONCURRENCY) {
    way.cpuSeconds += (way.between?.cpuSeconds() ?? 0) - cpuBefore
    way.requests += requests
  }
  const rounds = way.perSecond.get(connections) ?? []
  way.perSecond.set(connections, [...rounds, requests / seconds])
}

/** The relay's overhead over a direct call: the median of the overheads of each round. */
function firstEvent(ways: RelayWays, share: number, budgetMs: number): Result {
  const each = (way: Way) => way.firstEvents.map((samples) => percentile(samples, share))
  const baseline = each(ways.direct)
  const added = (way: Way) => median(each(way).map((value, round) => value - baseline[round]))
  const others = [ways.pipe, ...ways.proxies].map(
    (way) => `${named(way, ways)} ${added(way).toFixed(3)}`
  )
  return result({
    id: `relay.ttfb.p${share * 100}`,
    unit: 'ms',
    value: median(each(ways.mosaic)),
    baseline: median(baseline),
    target: `added <= ${budgetMs} ms`,
    ok: added(ways.mosaic) <= budgetMs,
    note: `adds ${added(ways.mosaic).toFixed(3)} ms to a direct call; ${others.join(', ')}`,
  })
}

/** Requests per second against the bare pipe; those of others are noted with the spread of the ratio. */
function throughput(ways: RelayWays, connections: number, cores: string): Result {
  const rounds = (way: Way) => way.perSecond.get(connections)!
  const ratios = (way: Way) => rounds(ways.mosaic).map((value, round) => value / rounds(way)[round])
  const perSecond = (way: Way) => Math.round(median(rounds(way)))
  const ratio = median(ratios(ways.pipe))
  const ahead = ways.proxies.every((way) => median(ratios(way)) > 1)
  const [low, high] = [0.1, 0.9].map((share) => percentile(ratios(ways.pipe), share).toFixed(2))
  const others = [ways.stream, ...ways.proxies].map(
    (way) => `${named(way, ways)} ${perSecond(way)}/s (ratio ${median(ratios(way)).toFixed(3)})`
  )
  return {
    ...result({
      id: `relay.rps.c${connections}`,
      unit: 'requests/s',
      value: perSecond(ways.mosaic),
      baseline: perSecond(ways.pipe),
      target: `>= ${RATIO} of a bare undici pipe, ahead of both proxies`,
      ok: ratio >= RATIO && ahead,
      note: `${cores}; ratio ${low} to ${high} in eight of ten rounds; ${others.join(', ')}; direct ${perSecond(ways.direct)}/s`,
    }),
    ratio: Number(ratio.toFixed(4)),
  }
}

function processorTime(ways: RelayWays): Result {
  const cpu = (way: Way) => (way.cpuSeconds * 1e6) / way.requests
  const others = [ways.stream, ...ways.proxies].map(
    (way) => `${named(way, ways)} ${cpu(way).toFixed(1)}`
  )
  return result({
    id: 'relay.cpu.c32',
    unit: 'µs/request',
    value: cpu(ways.mosaic),
    baseline: cpu(ways.pipe),
    note: `processor time of the proxy, which other work on the machine disturbs least; ${others.join(', ')}`,
  })
}

function named(way: Way, { pipe, stream }: RelayWays): string {
  if (way === pipe) return 'the bare pipe'
  return way === stream ? 'undici.stream, which needs no pipe,' : way.name
}
