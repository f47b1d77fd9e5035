import { freePort } from '#runtimes/drivers/process/free_port'
import { KeyedQueue } from '#runtimes/keyed_queue'

/** The agents' loopback ports. A port stays reserved until its gateway listens on it. */
export class PortPool {
  readonly #taken = new Set<number>()
  readonly #queue = new KeyedQueue()

  /** @param wanted a preferred port, used if it is free: that of the last start */
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
