import type { Server, Socket } from 'node:net'

export interface ConnectionCapLimits {
  /** Connections of all addresses together. */
  total: number
  /** Connections per address. Loopback is exempt: all callers on a machine share it. */
  perAddress: number
}

/** Limits a server's connections, including those that other listeners pass to it. */
export function capConnections(server: Server, limits: ConnectionCapLimits): void {
  const caps = new ConnectionCaps(limits)
  // Must run before the server's own handler.
  server.prependListener('connection', (socket) => caps.admit(socket))
}

/** Whether all callers on a machine share this address. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address)
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/

/**
 * Counts open connections of listeners that agents reach. Each costs Mosaic a descriptor and memory
 * before the caller is known.
 */
export class ConnectionCaps {
  readonly #limits: ConnectionCapLimits
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: ConnectionCapLimits) {
    this.#limits = limits
  }

  /** Counts a connection until it closes, or destroys it if it exceeds a limit. */
  admit(socket: Socket): void {
    // The peer may be gone already; then there is no address.
    const address = socket.remoteAddress ?? ''
    const own = this.#byAddress.get(address) ?? 0
    const isCapped = !isLoopback(address) && own >= this.#limits.perAddress
    if (isCapped || this.#total >= this.#limits.total) return void socket.destroy()
    this.#total++
    this.#byAddress.set(address, own + 1)
    socket.once('close', () => this.#left(address))
  }

  #left(address: string): void {
    this.#total--
    const own = this.#byAddress.get(address)! - 1
    if (own === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, own)
  }
}
