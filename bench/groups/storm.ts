import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import { median, percentile, result, type Result } from '../result.js'
import type { Storm } from '../storm.js'

const AGENTS = 100
/** Many at a time: the memory driver's starts use hardly any processor. */
const CONCURRENCY = 20
const CALLERS = 1000
const ROUNDS = 3
const STORM_RATIO = 1.1

export interface StormOfAgents extends Storm {
  /** Agents with two instances alive at the same time. */
  doubles: number
}

export interface CallersFigures extends Storm {
  /** Instances started for all callers together. */
  starts: number
}

/**
 * Measures many agents at once, and many callers of one agent, through Mosaic and with the driver alone,
 * alternating.
 */
export async function stormGroup(): Promise<Result[]> {
  const own = await newInstallation()
  const args = [AGENTS, CONCURRENCY, CALLERS].map(String)
  const running: { stop(): Promise<void> | void }[] = [{ stop: () => own.remove() }]
  try {
    const child = await Child.start<object>('mosaic_in_memory', { args, env: own.env })
    running.push(child)
    const all: Record<'mosaic' | 'driver', StormOfAgents[]> = { mosaic: [], driver: [] }
    const one: Record<'mosaic' | 'driver', CallersFigures[]> = { mosaic: [], driver: [] }
    for (let round = 0; round < ROUNDS; round++) {
      all.mosaic.push(await child.ask('wake all'))
      await child.ask('sleep')
      all.driver.push(await child.ask('start all'))
      one.mosaic.push(await child.ask('call one'))
      await child.ask('sleep')
      one.driver.push(await child.ask('start one'))
    }
    return [manyAgents(all.mosaic, all.driver), manyCallers(one.mosaic, one.driver)]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

const middle = (rounds: Storm[]) => median(rounds.map(({ ms }) => ms))
const failed = (rounds: Storm[]) => rounds.flatMap(({ failures }) => failures)

function manyAgents(mosaic: StormOfAgents[], driver: StormOfAgents[]): Result {
  const value = middle(mosaic) / 1000
  const baseline = middle(driver) / 1000
  const failures = failed([...mosaic, ...driver])
  const doubles = mosaic.reduce((sum, round) => sum + round.doubles, 0)
  return result({
    id: 'wake.storm.memory',
    unit: 's',
    value,
    baseline,
    target: `<= ${STORM_RATIO} of the driver alone, no failure, no double`,
    ok: value / baseline <= STORM_RATIO && failures.length === 0 && doubles === 0,
    note:
      `${AGENTS} agents, ${CONCURRENCY} starting at a time, both ways; ${failures.length} failed, ` +
      `${doubles} doubles; last of Mosaic's waits ${(percentile(mosaic[0].waits, 1) / 1000).toFixed(1)} s` +
      (failures.length > 0 ? `; first failure: ${failures[0]}` : ''),
  })
}

function manyCallers(mosaic: CallersFigures[], driver: CallersFigures[]): Result {
  const failures = failed(mosaic)
  const answered = mosaic.every(({ waits }) => waits.length === CALLERS)
  const once = mosaic.every(({ starts }) => starts === 1)
  return result({
    id: 'wake.storm.callers',
    unit: 'ms',
    value: middle(mosaic),
    baseline: middle(driver),
    target: 'one start, all answered',
    ok: once && answered,
    note:
      `${CALLERS} callers of one agent that sleeps, until the last is answered, beside one start by the ` +
      `driver; ${mosaic.map(({ starts }) => starts).join(', ')} starts, ${failures.length} failed`,
  })
}
