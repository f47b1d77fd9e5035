import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { ENDPOINT_SUFFIX } from '#runtimes/drivers/process/observer'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import type { AgentRecord, Run } from '#runtimes/drivers/process/records'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'

/** A busy gateway accepts connections late. */
const TAKEN_MS = 5000
const LOOK_MS = 5

/** Connects Mosaic to gateways, and to no other process in their place. */
export class Dialer {
  constructor(
    private readonly table: ProcTable,
    private readonly sandboxes: () => Sandboxes | null
  ) {}

  /**
   * Connects to a running agent's gateway without sending a byte.
   *
   * @throws an error with a code such as ECONNREFUSED; EACCES if another user's process answers
   */
  async dial(agents: AgentRegistry, endpoint: URL, signal?: AbortSignal): Promise<Socket> {
    const record = await agents.find(endpoint.hostname.slice(0, -ENDPOINT_SUFFIX.length))
    const run = record?.run
    if (!run || run.port !== Number(endpoint.port) || !this.table.findSame(run)) {
      throw refused('ECONNREFUSED', 'The agent does not run')
    }
    if (!run.address) return this.#onLoopback(record, run, signal)
    const sandboxes = this.sandboxes()
    if (!sandboxes) throw refused('ENETUNREACH', 'The agent runs in a sandbox')
    return sandboxes.dial(run.address, run.port, signal)
  }

  async #onLoopback({ user }: AgentRecord, { port }: Run, signal?: AbortSignal): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    try {
      await once(socket, 'connect', { signal })
      // The agent may reset the connection meanwhile; then no owner is found.
      socket.on('error', () => {})
      await this.#makeSure(user?.uid ?? process.geteuid!(), port, socket.localPort!, signal)
      if (socket.destroyed) throw refused('ECONNRESET', 'The gateway ended the connection')
      return socket
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Trusts only the kernel: a connection that no process has accepted yet has no owner. */
  async #makeSure(uid: number, port: number, ownPort: number, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + TAKEN_MS
    for (;;) {
      const taker = this.table.taker(port, ownPort)
      if (taker !== null) {
        if (taker === uid && this.table.listeners(port).every((one) => one === uid)) return
        throw refused('EACCES', 'Another user answers in place of the gateway')
      }
      signal?.throwIfAborted()
      if (performance.now() > deadline) throw refused('ETIMEDOUT', 'Nobody takes the connection')
      await after(LOOK_MS)
    }
  }
}

function refused(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}
