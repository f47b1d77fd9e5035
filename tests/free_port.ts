import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Returns a port that nothing listened on a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const probe = createServer().listen(0, host)
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
