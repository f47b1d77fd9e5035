import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import { median, percentile, result, type Result } from '../result.js'
import { TestSwarm } from '../../tests/engine/test_swarm.mjs'

const ROUNDS = 12
const ADDED_MS = 150

/** Measures a wake through Mosaic against a service of the same spec that dockerode alone scales from 0. */
export async function swarmGroup(): Promise<Result[]> {
  const swarm = new TestSwarm()
  const running: { stop(): unknown }[] = [swarm]
  try {
    await swarm.start()
    await swarm.addGatewayImage()
    const own = await newInstallation()
    running.push({ stop: () => own.remove() })
    const child = await Child.start('mosaic_on_swarm', {
      env: { ...own.env, ...swarm.env, INTERNAL_HOST: '0.0.0.0' },
      inside: swarm.inside,
    })
    running.push(child)
    const byMosaic: number[] = []
    const alone: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      byMosaic.push(await child.ask<number>('mosaic'))
      alone.push(await child.ask<number>('dockerode'))
    }
    return [wake(byMosaic, alone)]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

function wake(byMosaic: number[], alone: number[]): Result {
  const [value, baseline] = [median(byMosaic), median(alone)]
  return result({
    id: 'wake.swarm',
    unit: 'ms',
    value,
    baseline,
    target: `<= ${ADDED_MS} ms above dockerode alone`,
    ok: value - baseline <= ADDED_MS,
    note:
      `from 0 to a ready gateway, ${ROUNDS} in turns on one node of two, the token renewed by each wake of Mosaic; ` +
      `added ${(value - baseline).toFixed(0)} ms, at p95 ${(percentile(byMosaic, 0.95) - percentile(alone, 0.95)).toFixed(0)} ms`,
  })
}
