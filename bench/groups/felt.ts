import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import type { GroupOptions } from '../options.js'
import { median, result, type Result } from '../result.js'
import { addSwapFile } from '#tests/swap_file'
import { addZram } from '../felt/zram.js'
import type { ByHandFigures } from '../felt/by_hand.js'
import type { Cost, IdleCost } from '../felt/cost.js'
import type { MemoryUse } from '#runtimes/contract'
import { TestEngine } from '../../tests/engine/test_engine.mjs'
import { fileURLToPath } from 'node:url'

const STORAGE = fileURLToPath(new URL('../../storage', import.meta.url))

/** How long things are left alone, in milliseconds. */
export interface FeltTimes {
  idleMs: number
  restMs: number
  typingMs: number
}

const TIMES: FeltTimes = { idleMs: 180_000, restMs: 600_000, typingMs: 15_000 }
/** Past the minute after which OpenClaw would end its idle workers. */
const QUICK_TIMES: FeltTimes = { idleMs: 100_000, restMs: 20_000, typingMs: 15_000 }

export interface ColdFigures {
  /** From Enter to the first token; its processor time counts from the page's opening. */
  first: Cost
  /** From the page's opening until it says "Awake". */
  awakeMs: number
}

export interface IdleFigures {
  first: Cost
  rest: IdleCost
}

export interface RestFigures {
  ready: Cost
  /** From the page's opening to the first token, sent as soon as the page says "Awake". */
  first: Cost
  /** The memory held at the end of the rest. */
  use: MemoryUse | null
}

interface Round {
  byHand: ByHandFigures
  cold: ColdFigures
  idle: IdleFigures
  rest: RestFigures
}

const READY_MS = 1500
const RESTING_FIRST_MS = 2500
const IDLE_FIRST_MS = 1200
const COLD_RATIO = 0.5
const REST_CPU = 1
const MB = 1024 * 1024

/**
 * Measures what a person feels of an agent that rested, idled or slept: the real OpenClaw in processes and in
 * containers, in turns with the same OpenClaw started by hand.
 */
export async function feltGroup(options: GroupOptions): Promise<Result[]> {
  const times = options.quick ? QUICK_TIMES : TIMES
  const addSwap = options.zram ? addZram : addSwapFile
  const removeSwap = options.swapMb > 0 ? addSwap(options.swapMb) : () => {}
  try {
    const results: Result[] = []
    for (const runtime of options.drivers) {
      const rounds = await roundsOf(runtime, times, options.rounds)
      results.push(...figures(runtime, rounds, times))
    }
    return results
  } finally {
    removeSwap()
  }
}

async function roundsOf(runtime: string, times: FeltTimes, count: number): Promise<Round[]> {
  const running: { stop(): Promise<void> }[] = []
  try {
    const where = runtime === 'docker' ? await onEngine(running) : { env: {}, inside: [] }
    const provider = await Child.start<{ url: string }>('gateway_double', where)
    running.push(provider)
    const own = await newInstallation()
    running.push({ stop: async () => own.remove() })
    const mosaic = await Child.start('mosaic_felt', {
      args: [runtime, provider.ready.url, JSON.stringify(times)],
      env: { ...own.env, ...where.env },
      inside: where.inside,
    })
    running.push(mosaic, { stop: async () => void (await mosaic.ask('end').catch(() => {})) })

    const rounds: Round[] = []
    for (let round = 0; round < count; round++) {
      rounds.push({
        byHand: await mosaic.ask<ByHandFigures>('byHand'),
        cold: await mosaic.ask<ColdFigures>('cold'),
        idle: await mosaic.ask<IdleFigures>('idle'),
        rest: await mosaic.ask<RestFigures>('rest'),
      })
    }
    return rounds
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

/** Starts an engine with OpenClaw's image, and says how a process gets there. */
async function onEngine(running: { stop(): Promise<void> }[]) {
  const engine = new TestEngine()
  running.push(engine)
  await engine.start()
  await engine.addOpenclawImage(STORAGE)
  const env = {
    ...engine.env,
    DOCKER_HOST: engine.env.MOSAIC_TEST_DOCKER_HOST,
    INTERNAL_HOST: '0.0.0.0',
  }
  return { env, inside: engine.within }
}

function figures(runtime: string, rounds: Round[], times: FeltTimes): Result[] {
  const ms = (cost: (round: Round) => Cost) => median(rounds.map((round) => cost(round).ms))
  const cpu = (cost: (round: Round) => Cost) =>
    `${median(rounds.map((round) => cost(round).cpu)).toFixed(1)} CPU s`
  const beside = (cost: (round: Round) => Cost, hand: (round: Round) => Cost) =>
    `${cpu(cost)}, by hand ${cpu(hand)}`
  const rested = `rested ${seconds(times.restMs)}`
  const idled = `idle for ${seconds(times.idleMs)}`
  const byHandFirst = ({ byHand }: Round) => byHand.first
  const notOf = (text: string) => `${runtime}: ${text}`

  const ready = ms(({ rest }) => rest.ready)
  const restingFirst = ms(({ rest }) => rest.first)
  const idleFirst = ms(({ idle }) => idle.first)
  const coldFirst = ms(({ cold }) => cold.first)
  const handFirst = ms(byHandFirst)
  const restCpu = median(rounds.map(({ idle }) => idle.rest.agent))
  const mosaicCpu = median(rounds.map(({ idle }) => idle.rest.mosaic))
  const { use } = rounds.at(-1)!.rest
  return [
    result({
      id: 'felt.resting.ready',
      unit: 'ms',
      value: ready,
      baseline: ms(({ byHand }) => byHand.ready),
      target: `<= ${READY_MS} ms`,
      ok: ready <= READY_MS,
      note: notOf(
        `${rested}: page open to awake; ${beside(
          ({ rest }) => rest.ready,
          ({ byHand }) => byHand.ready
        )}`
      ),
    }),
    result({
      id: 'felt.resting.first',
      unit: 'ms',
      value: restingFirst,
      baseline: handFirst,
      target: `<= ${RESTING_FIRST_MS} ms`,
      ok: restingFirst <= RESTING_FIRST_MS,
      note: notOf(
        `${rested}: page open to first token, Enter as soon as it is awake; ` +
          beside(({ rest }) => rest.first, byHandFirst)
      ),
    }),
    result({
      id: 'felt.idle.first',
      unit: 'ms',
      value: idleFirst,
      baseline: ms(({ byHand }) => byHand.idleFirst),
      target: `<= ${IDLE_FIRST_MS} ms`,
      ok: idleFirst <= IDLE_FIRST_MS,
      note: notOf(
        `${idled}: Enter to first token; ${beside(
          ({ idle }) => idle.first,
          ({ byHand }) => byHand.idleFirst
        )}`
      ),
    }),
    result({
      id: 'felt.cold.first',
      unit: 'ms',
      value: coldFirst,
      baseline: handFirst,
      target: `<= ${COLD_RATIO} of by hand`,
      ok: coldFirst / handFirst <= COLD_RATIO,
      note: notOf(
        `page open, Enter after ${seconds(times.typingMs)} of typing; awake after ` +
          `${seconds(median(rounds.map(({ cold }) => cold.awakeMs)))}; in all ` +
          beside(({ cold }) => cold.first, byHandFirst)
      ),
    }),
    result({
      id: 'felt.rest.cpu',
      unit: 'CPU s/min',
      value: restCpu,
      baseline: median(rounds.map(({ byHand }) => byHand.rest.agent)),
      target: `<= ${REST_CPU} CPU s a minute`,
      ok: restCpu <= REST_CPU,
      note: notOf(
        `awake and ${idled}; Mosaic itself, beside it: ${mosaicCpu.toFixed(2)} CPU s a minute`
      ),
    }),
    ...(use
      ? [
          result({
            id: 'felt.rest.memory',
            unit: 'MB',
            value: use.resident / MB,
            baseline: median(rounds.map(({ byHand }) => byHand.resident)) / MB,
            note: notOf(
              `resident after the rest, and ${Math.round(use.swapped / MB)} MB in swap; ` +
                'baseline is the one by hand, idle'
            ),
          }),
        ]
      : []),
  ]
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
