/**
 * Connections of Mosaic's clients to gateways: through the driver if it requires that, else by plain
 * TCP. All clients of gateways must get their connections here.
 */
import type { Duplex } from 'node:stream'
import { connect, type Socket } from 'node:net'
import { Agent, buildConnector, request } from 'undici'
import { relaySocket } from '#runtimes/gateway_socket_relay'

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

/** Interim responses (1xx) that a gateway may send before its answer. It needs none. */
export const MOST_INTERIM = 20

/** undici's `request` for gateways. */
export function requestGateway(
  url: string,
  {
    signal,
    ...options
  }: Omit<NonNullable<Parameters<typeof request>[1]>, 'signal'> & {
    signal?: AbortSignal
  } = {}
) {
  const flood = new AbortController()
  let interim = 0
  const onInfo = () => {
    if (++interim > MOST_INTERIM) flood.abort(new Error('The gateway does not come to its answer'))
  }
  const either = signal ? AbortSignal.any([signal, flood.signal]) : flood.signal
  return request(url, { ...options, signal: either, onInfo, dispatcher })
}

/**
 * Returns a local address that leads to a gateway for one WebSocket, for clients that open their own
 * sockets. Call `close` when the connection has ended.
 */
export async function plainAddress(url: string): Promise<{ url: string; close: () => void }> {
  const { hostname, port } = new URL(url)
  const gateway = await dial(new URL(url))
  return relaySocket(gateway ?? connect({ host: hostname, port: Number(port || 80) }))
}
