import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPinned } from '../bin/setup/pinned_packages.mjs'
import { Child, pin } from './child.js'
import { compile } from './compiled.js'
import { target, type Target } from './load.js'
import { Mosaic } from './mosaic.js'

const PATH = '/v1/chat/completions'
const CHAT = { model: 'openclaw', stream: true, messages: [{ role: 'user', content: 'Hello' }] }

/** One way to the gateway, with one measurement per round. */
export interface Way {
  name: string
  to: Target
  /** The process in between, or null for a direct call. */
  between: Child<unknown> | null
  firstEvents: number[][]
  /** Requests per second, by the number of connections. */
  perSecond: Map<number, number[]>
  /** The intermediate process's total processor time in seconds, and its requests. */
  cpuSeconds: number
  requests: number
}

/** The relay, and what it is compared with. */
export class RelayWays {
  readonly #running: { stop(): Promise<void> }[] = []
  #gateway!: Child<{ url: string }>
  direct!: Way
  /** Bare undici: a piped response, and one that undici writes. */
  pipe!: Way
  stream!: Way
  /** Proxies from npm. */
  proxies: Way[] = []
  mosaic!: Way
  /** Mosaic's own process and facts. */
  served!: Mosaic

  /** Starts each way's process. */
  async start(): Promise<this> {
    try {
      await this.#start()
      return this
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  get all(): Way[] {
    return [this.direct, this.pipe, this.stream, ...this.proxies, this.mosaic]
  }

  /** Pins each process in between to one core, and the load to the other. Returns whether that was possible. */
  pin(): boolean {
    const between = this.all.flatMap((way) => way.between ?? [])
    const pinned = between.every((child) => pin(child.process.pid!, 1))
    pin(this.#gateway.process.pid!, 0)
    pin(process.pid, 0)
    return pinned
  }

  /**
   * Yields each way once a round, beginning with another one each time. Every way rests about as long between two
   * turns: one that rests longer than undici keeps connections would have to open them all again.
   */
  *turns(rounds: number): Iterable<Way> {
    for (let round = 0; round < rounds; round++) {
      const first = round % this.all.length
      yield* [...this.all.slice(first), ...this.all.slice(0, first)]
    }
  }

  async stop(): Promise<void> {
    for (const each of this.#running.toReversed()) await each.stop()
  }

  async #start(): Promise<void> {
    this.#gateway = await this.#child('gateway_double', [])
    const { url } = this.#gateway.ready
    const build = compile('tsconfig.json')
    const remove = async () => rmSync(build, { recursive: true, force: true })
    this.#running.push({ stop: remove })
    this.served = await Mosaic.start(url, 'double', build)
    this.#running.push(this.served)
    this.direct = newWay('direct', url, null)
    this.pipe = await this.#between('bare_pipe', url, 'request')
    this.stream = await this.#between('bare_pipe', url, 'stream')
    const folder = await proxiesFolder()
    for (const name of ['http-proxy-3', 'configurable-http-proxy']) {
      this.proxies.push(await this.#between('known_proxy', url, name, folder))
    }
    const { facts, child } = this.served
    this.mosaic = newWay('mosaic', facts.url, child, facts.accessToken)
  }

  async #between(file: string, url: string, name: string, ...args: string[]): Promise<Way> {
    const child = await this.#child(file, [url, name, ...args])
    return newWay(name, child.ready.url, child)
  }

  async #child(file: string, args: string[]): Promise<Child<{ url: string }>> {
    const child = await Child.start<{ url: string }>(file, { args })
    this.#running.push(child)
    return child
  }
}

function newWay(name: string, url: string, between: Child<unknown> | null, token = 'any'): Way {
  const to = target(url, PATH, token, CHAT)
  return { name, to, between, firstEvents: [], perSecond: new Map(), cpuSeconds: 0, requests: 0 }
}

/** Returns the request of a stream that begins and then waits. */
export function heldStream({ facts }: Mosaic): Target {
  return target(facts.url, PATH, facts.accessToken, { ...CHAT, hold: true })
}

/** Installs the proxies from npm, unless they are there. */
async function proxiesFolder(): Promise<string> {
  const pinned = fileURLToPath(new URL('proxies/', import.meta.url))
  const folder = fileURLToPath(new URL('../storage/proxies/', import.meta.url))
  await installPinned(pinned, folder)
  return folder
}
