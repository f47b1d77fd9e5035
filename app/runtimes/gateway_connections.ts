/**
 * Connections of Mosaic's clients to gateways: through the driver if it requires that, else by plain
 * TCP. All clients of gateways must get their connections here.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Agent, buildConnector, fetch, request } from 'undici'

/** Resolves with null if plain TCP reaches the endpoint. */
export type Dial = (endpoint: URL, signal?: AbortSignal) => Promise<Duplex | null>

let dial: Dial = async () => null

/** Sets how to reach endpoints. Called once, at boot. */
export function dialGatewaysWith(given: Dial): void {
  dial = given
}

/** The `connect` option for an undici `Agent`. */
export function gatewayConnector(options: { timeout?: number } = {}): buildConnector.connector {
  const plain = buildConnector(options)
  return (target, callback) => {
    const { protocol, hostname, port } = target
    const signal = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout)
    dial(new URL(`${protocol}//${hostname}:${port}`), signal).then(
      (socket) => (socket ? callback(null, socket as Socket) : plain(target, callback)),
      (error) => callback(error, null)
    )
  }
}

const dispatcher = new Agent({ connect: gatewayConnector({ timeout: 10_000 }) })

/** undici's `request` for gateways. */
export function requestGateway(url: string, options: Parameters<typeof request>[1] = {}) {
  return request(url, { ...options, dispatcher })
}

/** `fetch` for gateways. */
export const fetchGateway = ((url: string, init?: object) =>
  fetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch

/**
 * Returns a local address that leads to a gateway for one connection, for clients that open their own
 * sockets. Call `close` when the connection has ended. Returns the given address if plain TCP reaches
 * the gateway.
 */
export async function plainAddress(url: string): Promise<{ url: string; close: () => void }> {
  const gateway = await dial(new URL(url))
  if (!gateway) return { url, close: () => {} }
  // An agent may reset it before anyone listens; the reader gets the error.
  gateway.on('error', () => {})
  const server = createServer((socket) => {
    server.close()
    const both = [pipeline(socket, gateway), pipeline(gateway, socket)]
    // Either end may close at any time; the client reports it.
    Promise.all(both).catch(() => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    gateway.destroy()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}
