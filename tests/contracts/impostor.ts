import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import type { Instance } from '#runtimes/contract'

/** Answers in the place of a gateway that is gone. */
export interface Impostor {
  /** All that it was sent so far. */
  heard(): string
  close(): Promise<void>
}

/** What a port may stay taken after the end of its process. */
const FREE_MS = 5000

/** Listens, as this process, at every address with the port of an instance, and answers that all is well. */
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

/** A process that was killed may hold its port for a moment longer than anybody sees it. */
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
