import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import type { Instance } from '#runtimes/contract'

/** Server in the place of a gateway that has ended. */
export interface Impostor {
  /** Everything received so far. */
  heard(): string
  close(): Promise<void>
}

/** Milliseconds that a port may stay taken after its process has ended. */
const FREE_MS = 5000

/** Listens in this process on an instance's port, at every address, and always reports success. */
export async function impostorOf({ endpoint }: Instance): Promise<Impostor> {
  let heard = ''
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard += bytes
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  await listenWhenFree(server, Number(new URL(endpoint).port))
  return {
    heard: () => heard,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A killed process may hold its port a moment longer than it is visible. */
async function listenWhenFree(server: Server, port: number): Promise<void> {
  const deadline = performance.now() + FREE_MS
  for (;;) {
    try {
      server.listen(port, '0.0.0.0')
      await once(server, 'listening')
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE' || performance.now() > deadline) throw error
      await after(50)
    }
  }
}
