import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../bench/child.js'
import { compile } from './compiled.js'
import { newInstallation } from '../bench/environment.js'
import { testEngine } from '../tests/engine/engine.js'
import { TestEngine } from '../tests/engine/test_engine.mjs'
import { endLeftovers, leftovers } from '../tests/runner/leftovers.mjs'
import { PrivatePostgres } from '../tests/runner/postgres.mjs'
import { installFakeOpenclaw } from '#tests/doubles/fake_openclaw'
import { swapFile } from '#tests/swap_file'
import { Replicas } from './replicas.js'
import { ProcessWatch } from './process_watch.js'
import type { ChaosDriverName, Fault, Told } from './messages.js'
import type { Seeded } from './seeded.js'

/** A restarted database is back within seconds; this is the longest outage that agents survive. */
const LONGEST_AWAY_MS = 3000
const HOUR_MS = 3_600_000
/** Swap for resting agents' memory, where the kernel lets a run add some. */
const SWAP_MB = 256

/** Everything that a run depends on: a database, a runtime, replicas of Mosaic. */
export interface Stage {
  replicas: Replicas
  /** Causes a fault; resolves once it is over. */
  faults: Record<Exclude<Fault, 'kill'>, (random: Seeded) => Promise<unknown>>
  /**
   * Returns a sentence for each time that two instances of one agent, or two replicas changing one agent, were
   * seen at the same time.
   */
  doubles(): Promise<string[]>
  /** Stops and removes everything, once. */
  stop(): Promise<void>
}

/** @param built A folder with compiled Mosaic, kept afterwards; by default it is compiled for this run. */
export async function openStage(
  driver: ChaosDriverName,
  hear: (told: Told) => void,
  built?: string
): Promise<Stage> {
  const open: { stop(): unknown }[] = []
  const stopAll = async () => {
    for (const each of open.toReversed()) await each.stop()
  }
  let stopping: Promise<void> | null = null
  const stop = () => (stopping ??= stopAll())
  try {
    const postgres = new PrivatePostgres()
    open.push(postgres)
    await postgres.start()
    const url = await postgres.newDatabase('mosaic_chaos')
    const own = await newInstallation(postgres.bySocket(url))
    open.push({ stop: () => own.remove() })
    /** Agents outlive replicas: after a failure some still run. */
    open.push({ stop: () => endLeftovers(leftovers(own.folder)) })

    const build = built ?? compile()
    if (!built) open.push({ stop: () => rmSync(build, { recursive: true, force: true }) })
    /** Replicas that start together compile the same packages, as does a test run around this one. */
    const { NODE_COMPILE_CACHE = join(own.folder, 'compiled') } = process.env
    const where = {
      inside: [] as string[],
      env: { ...own.env, NODE_COMPILE_CACHE, LOG_LEVEL: 'silent' } as NodeJS.ProcessEnv,
    }
    if (driver === 'docker') {
      const engine = new TestEngine()
      open.push(engine)
      await engine.start()
      await engine.addGatewayImage()
      where.inside = engine.inside
      /** For this process, which restarts the engine. */
      Object.assign(process.env, engine.env)
      Object.assign(where.env, engine.env, { DOCKER_HOST: engine.env.MOSAIC_TEST_DOCKER_HOST })
    }
    let watch: ProcessWatch | null = null
    if (driver === 'process') {
      if (swapFile.isPossible()) open.push({ stop: swapFile.add(SWAP_MB) })
      await installFakeOpenclaw(join(own.folder, 'fake'))
      watch = new ProcessWatch(join(own.folder, 'storage/agents'))
      open.push(watch)
    }

    const worldFile = new URL('processes/world.ts', import.meta.url)
    const storage =
      driver === 'process' ? { MOSAIC_CHAOS_STORAGE: join(own.folder, 'storage') } : {}
    const world = await Child.start<{ port: number }>(worldFile, {
      ...where,
      env: { ...where.env, ...storage },
    })
    open.push(world)
    const replicas = new Replicas({
      ...where,
      build,
      hear,
      scene: { driver, folder: own.folder, worldUrl: `http://127.0.0.1:${world.ready.port}` },
    })
    open.push(replicas)
    await replicas.start()
    const faults = {
      database: (random: Seeded) => postgres.restart(random.below(LONGEST_AWAY_MS)),
      engine: async () => {
        const engine = testEngine()
        if (!engine?.isPrivate) throw new Error('There is no engine here that may be restarted')
        await engine.kill()
        await engine.start()
      },
      clock: () => replicas.setClockBack(HOUR_MS),
    }
    const doubles = async () => [
      ...(watch?.doubles() ?? []),
      ...(await world.ask<string[]>('doubles')),
    ]
    return { replicas, faults, doubles, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
