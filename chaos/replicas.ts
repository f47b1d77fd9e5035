import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Child } from '../bench/child.js'
import type { ContentionFacts, Facts, Orders, Scene, Told } from './messages.js'
import type { AgentKey } from '#agents/types'

/** Replicas alive at the same time. One of them dies in each round. */
const COPIES = 3

/** How long the load continues after a fault is over. */
const GO_ON_MS = 500

export interface CopiesOptions {
  scene: Scene
  /** The folder with compiled Mosaic: without transpiling, a replica starts in half the time. */
  build: string
  env: NodeJS.ProcessEnv
  /** Command prefix that says where it runs. */
  inside: string[]
  hear: (told: Told) => void
}

/** The replicas of Mosaic on one database, plus a spare to replace a dead one. */
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

  /** Creates users for the replicas to act for. */
  prepare(count: number): Promise<AgentKey[]> {
    return this.#living[0].ask('prepare', count)
  }

  /**
   * Runs all replicas until the victim (the first) has killed itself or was killed after `mostMs`; then halts
   * the others. Returns whether it killed itself.
   */
  async round({ seed, dieAt, ...orders }: Orders, mostMs: number): Promise<boolean> {
    this.#next ??= this.#spawn()
    const victim = this.#living.shift()!
    const dead = new Promise((resolve) => victim.process.once('exit', resolve))
    let reached = true
    const late = setTimeout(() => {
      reached = false
      victim.process.kill('SIGKILL')
    }, mostMs)
    await Promise.all([
      victim.ask('go', { seed, dieAt, ...orders }).catch(() => {}),
      ...this.#living.map((replica, index) =>
        replica.ask('go', { seed: seed + 1000 * (index + 1), dieAt: null, ...orders })
      ),
    ])
    await dead
    clearTimeout(late)
    await Promise.all(this.#living.map((replica) => replica.ask('halt')))
    return reached
  }

  /**
   * Runs all replicas until a fault has come and gone; then halts them. Returns the time at which it was over.
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

  /** Sets the machine's clock back. */
  async setClockBack(ms: number): Promise<void> {
    await this.#all('setClockBack', () => ms)
  }

  /** Sends a message to each agent; returns the reports of those that did not wake. */
  revive(agents: AgentKey[]): Promise<string[]> {
    return this.#living[0].ask('revive', agents)
  }

  /** Lets a survivor of the round reconcile until nothing is left to do. */
  settle(): Promise<Facts> {
    return this.#living[0].ask('settle')
  }

  /** Makes all replicas request the same agents concurrently, `calls` times in total. */
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

  /** Replaces the replica that died. */
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
