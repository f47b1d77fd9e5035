import type { Server, Socket } from 'node:net'

export interface ConnectionCapLimits {
  /** Connections of all addresses together. */
  total: number
  /** Connections of one address. Loopback is exempt: all callers of a machine share it. */
  perAddress: number
}

/** Also counts connections that other listeners hand to the server. */
export function capConnections(server: Server, limits: ConnectionCapLimits): void {
  const caps = new ConnectionCaps(limits)
  // Before the server itself looks at the connection.
  server.prependListener('connection', (socket) => caps.admit(socket))
}

/** Where all callers of a machine share an address. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address)
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/

/**
 * Counts open connections of listeners that agents reach. Each holds a descriptor and memory of Mosaic's,
 * before anybody knows whose it is.
 */
export class ConnectionCaps {
  readonly #limits: ConnectionCapLimits
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: ConnectionCapLimits) {
    this.#limits = limits
  }

  /** Counts a connection until it closes; beyond the limits it is ended instead. */
  admit(socket: Socket): void {
    // The other end may be gone already, and then has no address.
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
