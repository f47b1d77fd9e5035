import { freePort } from '#runtimes/drivers/process/free_port'
import { KeyedQueue } from '#runtimes/keyed_queue'

/** Loopback ports of agents. One that was given away is not given again before its gateway listens on it. */
export class PortPool {
  readonly #taken = new Set<number>()
  readonly #queue = new KeyedQueue()

  /** @param wanted a port to prefer while it is free: the one of the last start */
  take(wanted?: number): Promise<number> {
    return this.#queue.run('port', async () => {
      const port = await freePort(this.#taken, wanted)
      this.#taken.add(port)
      return port
    })
  }

  release(port: number): void {
    this.#taken.delete(port)
  }
}
