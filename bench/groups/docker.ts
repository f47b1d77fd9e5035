import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import { median, percentile, result, type Result } from '../result.js'
import { TestEngine } from '../../tests/engine/test_engine.mjs'

const AGENTS = 50
/** The processor limits starts: more at a time only makes each slower. */
const CONCURRENCY = 4
/** The first round also creates each agent's volume. */
const ROUNDS = 3

const STORM_RATIO = 1.1
const RESUME_MS = 50

/** Many starts requested at once. Times in milliseconds. */
export interface StormFigures {
  ms: number
  /** Time from the request until the gateway was ready, for each success. */
  waits: number[]
  failures: string[]
  /** Running at the end. */
  containers: number
}

/** Times to the first byte of a response, in milliseconds. */
export interface WarmFigures {
  running: number[]
  resumed: number[]
}

/**
 * Measures many agents woken at once on a real engine against dockerode alone, and the resume of a paused
 * agent.
 */
export async function dockerGroup(): Promise<Result[]> {
  const engine = new TestEngine()
  const running: { stop(): Promise<void> }[] = [engine]
  try {
    await engine.start()
    await engine.addGatewayImage()
    const own = await newInstallation()
    running.push({ stop: async () => own.remove() })
    const child = await Child.start('mosaic_on_docker', {
      args: [String(AGENTS), String(CONCURRENCY)],
      env: {
        ...own.env,
        ...engine.env,
        DOCKER_HOST: engine.env.MOSAIC_TEST_DOCKER_HOST,
        INTERNAL_HOST: '0.0.0.0',
      },
      inside: engine.inside,
    })
    running.push(child)
    const storms: Record<string, StormFigures[]> = {
      'mosaic': [],
      'dockerode at once': [],
      'dockerode in turn': [],
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [way, figures] of Object.entries(storms)) {
        figures.push(await child.ask<StormFigures>(way))
        if (way === 'mosaic') await child.ask('sleep')
      }
    }
    return [storm(storms), ...warm(await child.ask<WarmFigures>('warm'))]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

function storm(storms: Record<string, StormFigures[]>): Result {
  const seconds = (way: string) => median(storms[way].map(({ ms }) => ms)) / 1000
  const value = seconds('mosaic')
  const [baseline, way] = ['dockerode at once', 'dockerode in turn']
    .map((name): [number, string] => [seconds(name), name])
    .toSorted(([one], [other]) => one - other)[0]
  const all = Object.values(storms).flat()
  const failures = all.flatMap((round) => round.failures)
  const doubles = storms.mosaic.filter(({ containers }) => containers !== AGENTS).length
  return result({
    id: 'wake.storm',
    unit: 's',
    value,
    baseline,
    target: `<= ${STORM_RATIO} of dockerode alone, no failure, no double`,
    ok: value / baseline <= STORM_RATIO && failures.length === 0 && doubles === 0,
    note:
      `${AGENTS} agents, ${CONCURRENCY} starting at a time; baseline is ${way}, the faster of two; ` +
      `${failures.length} failed, ${doubles} rounds with another number of containers than agents; ` +
      `waits ${Object.keys(storms)
        .map((name) => waits(name, storms[name]))
        .join('; ')}` +
      (failures.length > 0 ? `; first failure: ${failures[0]}` : ''),
  })
}

function waits(name: string, rounds: StormFigures[]): string {
  const all = rounds.flatMap((round) => round.waits)
  if (all.length === 0) return `${name}: none`
  const at = (share: number) => (percentile(all, share) / 1000).toFixed(1)
  return `${name}: first ${at(0)} s, half ${at(0.5)} s, p95 ${at(0.95)} s, last ${at(1)} s`
}

function warm({ running, resumed }: WarmFigures): Result[] {
  const value = median(resumed)
  const baseline = median(running)
  return [
    result({
      id: 'wake.warm',
      unit: 'ms',
      value,
      baseline,
      target: `<= ${RESUME_MS} ms above a running agent`,
      ok: value - baseline <= RESUME_MS,
      note:
        `first byte of an answer, with the resume before it; added ${(value - baseline).toFixed(1)} ms, ` +
        `at p95 ${(percentile(resumed, 0.95) - percentile(running, 0.95)).toFixed(1)} ms`,
    }),
  ]
}
