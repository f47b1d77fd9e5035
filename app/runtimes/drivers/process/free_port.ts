import { createServer, type AddressInfo } from 'node:net'
import { RuntimeError } from '#runtimes/errors'

const ATTEMPTS = 50

/**
 * Returns an unused loopback port outside `taken`, the ports of agents whose gateway does not listen
 * yet.
 *
 * @param wanted a preferred port, used if it is free
 */
export async function freePort(taken: ReadonlySet<number>, wanted?: number): Promise<number> {
  if (wanted && !taken.has(wanted) && (await tryPort(wanted))) return wanted
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = await tryPort(0)
    if (port && !taken.has(port)) return port
  }
  throw new RuntimeError('no_capacity', 'No free loopback port was found.', {
    help: 'See what listens on so many ports of this machine.',
  })
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: got } = server.address() as AddressInfo
      server.close(() => resolve(got))
    })
  })
}
