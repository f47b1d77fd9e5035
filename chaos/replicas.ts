import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Child } from '../bench/child.js'
import type { ContentionFacts, Facts, Orders, Scene, Told } from './messages.js'
import type { AgentKey } from '#agents/types'

/** Replicas that live at the same time. One of them dies in each round. */
const COPIES = 3

/** The load goes on for so long after what it stands on is back. */
const GO_ON_MS = 500

export interface CopiesOptions {
  scene: Scene
  /** The folder with Mosaic compiled: a replica that is not translated first starts in half the time. */
  build: string
  env: NodeJS.ProcessEnv
  /** Words before the command that say where it runs. */
  inside: string[]
  hear: (told: Told) => void
}

/** The replicas of Mosaic that share one database, and one more that is ready to take a dead one's place. */
export class Replicas {
  readonly #options: CopiesOptions
  readonly #living: Child<object>[] = []
  #next: Promise<Child<object>> | null = null

  constructor(options: CopiesOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#living.push(await this.#spawn())
    this.#living.push(...(await Promise.all([this.#spawn(), this.#spawn()])).slice(0, COPIES - 1))
  }

  /** Makes users for the replicas to act for. */
  prepare(count: number): Promise<AgentKey[]> {
    return this.#living[0].ask('prepare', count)
  }

  /**
   * Lets all act until the victim, the first, has killed itself, or was killed after so many
   * milliseconds; then the others come to rest.
   */
  async round({ seed, agents, dieAt }: Orders & { dieAt: number }, mostMs: number): Promise<void> {
    this.#next ??= this.#spawn()
    const victim = this.#living.shift()!
    const dead = new Promise((resolve) => victim.process.once('exit', resolve))
    const late = setTimeout(() => victim.process.kill('SIGKILL'), mostMs)
    await Promise.all([
      victim.ask('go', { seed, agents, dieAt }).catch(() => {}),
      ...this.#living.map((replica, index) =>
        replica.ask('go', { seed: seed + 1000 * (index + 1), agents, dieAt: null })
      ),
    ])
    await dead
    clearTimeout(late)
    await Promise.all(this.#living.map((replica) => replica.ask('halt')))
  }

  /**
   * Lets all act until what they stand on has been away and is back; then they come to rest. Gives the time
   * at which it was back.
   */
  async disturb(
    { seed, agents }: Omit<Orders, 'dieAt'>,
    { afterMs, fault }: { afterMs: number; fault: () => Promise<unknown> }
  ): Promise<number> {
    await this.#all('go', (index) => ({ seed: seed + 1000 * index, agents, dieAt: null }))
    await after(afterMs)
    await fault()
    const backAt = performance.now()
    await after(GO_ON_MS)
    await this.#all('halt')
    return backAt
  }

  /** Somebody sets the clock of the machine. */
  async setClockBack(ms: number): Promise<void> {
    await this.#all('setClockBack', () => ms)
  }

  /** Says something to each agent, and gives what was told of those that did not wake. */
  revive(agents: AgentKey[]): Promise<string[]> {
    return this.#living[0].ask('revive', agents)
  }

  /** One that outlived the round reconciles until nothing is left to do. */
  settle(): Promise<Facts> {
    return this.#living[0].ask('settle')
  }

  /** All replicas ask for the same agents at the same time, so many times in all. */
  contend(calls: number, { seed, agents }: Omit<Orders, 'dieAt'>): Promise<ContentionFacts[]> {
    const share = Math.ceil(calls / COPIES)
    return Promise.all(
      this.#living.map((replica, index) =>
        replica.ask<ContentionFacts>('contend', { seed: seed + index, agents, calls: share })
      )
    )
  }

  memories(agents: AgentKey[]): Promise<Record<AgentKey, string[]>> {
    return this.#living[0].ask('memories', agents)
  }

  clear(agents: AgentKey[]): Promise<void> {
    return this.#living[0].ask('clear', agents)
  }

  /** Puts another in the place of the one that died. */
  async refill(): Promise<void> {
    this.#living.push(await this.#next!)
    this.#next = null
  }

  async stop(): Promise<void> {
    const last = await this.#next?.catch(() => null)
    await Promise.all([...this.#living, ...(last ? [last] : [])].map((replica) => replica.stop()))
  }

  #all(question: string, input: (index: number) => unknown = () => undefined) {
    return Promise.all(this.#living.map((replica, index) => replica.ask(question, input(index))))
  }

  async #spawn(): Promise<Child<object>> {
    const { scene, build, env, inside, hear } = this.#options
    const program = pathToFileURL(join(build, 'chaos/processes/replica.js'))
    const replica = await Child.start<object>(program, {
      args: [JSON.stringify(scene)],
      env,
      inside,
    })
    replica.process.on('message', ({ told }: { told?: Told }) => told && hear(told))
    return replica
  }
}
