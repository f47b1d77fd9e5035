/**
 * A way to the registry of packages for what is built on a private engine, whose network has none: a proxy
 * for TLS in two halves. One is outside and reaches what this machine reaches; the other is in the engine's
 * network, where builds find it at the engine's own bridge. A socket in the file system joins them.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, createServer as createSocketServer } from 'node:net'
import { BRIDGE_ADDRESS } from './docker_daemon.mjs'

/** In a network of its own, any port is free. */
const PORT = 3128
export const BUILD_PROXY = `http://${BRIDGE_ADDRESS}:${PORT}`

/**
 * The half outside.
 *
 * @param {string} path Of the socket.
 * @returns {Promise<() => void>} Closes it.
 */
export async function openWayOut(path) {
  const sockets = new Set()
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', ({ url }, socket, head) => {
    const { hostname, port } = new URL(`https://${url}`)
    const far = connect(Number(port || 443), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      far.write(head)
      join(socket, far)
    })
    sockets.add(far)
    far.once('error', () => socket.destroy())
  })
  server.listen(path)
  await once(server, 'listening')
  return () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    rmSync(path, { force: true })
  }
}

/**
 * The half in the engine's network, opened by a process that is in it.
 *
 * @param {string} path Of the socket.
 * @returns {Promise<() => void>} Closes it.
 */
export async function joinWayOut(path) {
  const sockets = new Set()
  const server = createSocketServer((socket) => {
    const far = connect(path)
    sockets.add(socket).add(far)
    join(socket, far)
  })
  server.listen(PORT, BRIDGE_ADDRESS)
  await once(server, 'listening')
  return () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

function join(one, other) {
  one.pipe(other).pipe(one)
  one.once('error', () => other.destroy()).once('close', () => other.destroy())
  other.once('error', () => one.destroy()).once('close', () => one.destroy())
}
