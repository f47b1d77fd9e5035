import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Addresses that people and programs take for the same as the one that Mosaic listens on. Whoever listened
 * there would be handed the cookies of its users: a browser sends them to a host, whatever the port or family.
 */
const COMPANIONS: Record<string, ListenOptions> = {
  '127.0.0.1': { host: '::1', ipv6Only: true },
  '::1': { host: '127.0.0.1' },
  '0.0.0.0': { host: '::', ipv6Only: true },
}

/** Raised where a machine has no such address. */
const NOT_THERE = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])

/** How long a listener waits for one that is about to end, at a restart, and how often it looks. */
const WAIT_MS = 5000
const LOOK_EVERY_MS = 200

/**
 * Opens a server on a port of this machine that nobody else can listen on beside it: at loopback of the
 * other family too. A port that is taken is waited for as long as a restart takes.
 *
 * Returns the listeners beside the first: they have to be closed with it.
 *
 * @throws Node's error of the address that could not be had
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
    /** The server takes the handle over; the listener that opened it is let go. */
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
  /** Whoever asks for IPv4 everywhere offers nothing to other machines by IPv6. */
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

/** As Node makes the sockets of an HTTP server. */
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
