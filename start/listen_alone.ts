import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Addresses that people and programs treat as equivalent to Mosaic's own. Another process listening
 * there would receive users' cookies: browsers send them to a host, whatever the port or address
 * family.
 */
const COMPANIONS: Record<string, ListenOptions> = {
  '127.0.0.1': { host: '::1', ipv6Only: true },
  '::1': { host: '127.0.0.1' },
  '0.0.0.0': { host: '::', ipv6Only: true },
}

/** Errors on a machine without such an address. */
const NOT_THERE = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])

/** At a restart, how long a listener waits for the previous one to close, and how often it retries. */
const WAIT_MS = 5000
const LOOK_EVERY_MS = 200

/**
 * Opens a server on a port that no other process can share, also at loopback of the other address
 * family. Waits for an occupied port as long as a restart takes.
 *
 * Returns the additional listeners, which must be closed with the server.
 *
 * @throws Node's error for an address that is unavailable
 */
export async function listenAlone(
  server: HttpServer,
  port: number,
  host: string,
  listen: (handle: Server) => void = (handle) => void server.listen(handle)
): Promise<Server[]> {
  const until = Date.now() + WAIT_MS
  const address = host === 'localhost' ? (await lookup(host)).address : host
  const companion = port === 0 ? undefined : COMPANIONS[address]
  const beside = companion && (await openBeside(server, { port, ...companion }, until))
  try {
    const first = await open({ port, host: address }, () => {}, until)
    const listening = once(server, 'listening')
    /** Hands the handle over to the server, and drops the listener that opened it. */
    listen(first)
    await listening
  } catch (error) {
    beside?.close()
    throw error
  }
  return beside ? [beside] : []
}

async function openBeside(
  server: HttpServer,
  options: ListenOptions,
  until: number
): Promise<Server | null> {
  /** A server for all IPv4 addresses must not serve other machines over IPv6. */
  const serves = ({ localAddress }: Socket) => options.host !== '::' || localAddress === '::1'
  const take = (socket: Socket) =>
    serves(socket) ? server.emit('connection', socket) : socket.destroy()
  try {
    return (await open(options, take, until)).unref()
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** The socket options of Node's HTTP servers. */
const SOCKETS = { allowHalfOpen: true, noDelay: true }

async function open(
  options: ListenOptions,
  take: (socket: Socket) => void,
  until: number
): Promise<Server> {
  for (;;) {
    const server = createServer(SOCKETS, take)
    try {
      const listening = once(server, 'listening')
      server.listen({ ...options, exclusive: true })
      await listening
      return server
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken || Date.now() > until) throw error
      await wait(LOOK_EVERY_MS)
    }
  }
}
