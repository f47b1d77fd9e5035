import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Instance } from '#runtimes/contract'

/** Answers in the place of a gateway that is gone. */
export interface Impostor {
  /** All that it was sent so far. */
  heard(): string
  close(): Promise<void>
}

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
  }).listen(Number(new URL(endpoint).port), '0.0.0.0')
  await once(server, 'listening')
  return {
    heard: () => heard,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
