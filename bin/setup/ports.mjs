import { createServer } from 'node:net'
import { SetupFailure } from './failure.mjs'

/**
 * Ends with one clear sentence where an address cannot be listened on.
 *
 * @param {{ host: string, port: number, variable: string }} listener `variable` places it elsewhere.
 * @throws SetupFailure
 */
export async function checkFree({ host, port, variable }) {
  const code = await new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(error.code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
  if (!code) return

  if (code === 'EADDRINUSE') {
    throw new SetupFailure(
      `Port ${port} on ${host} is taken by another program.`,
      `Stop that program, or choose another port: ${variable}=${port + 10} npm run quickstart`
    )
  }
  throw new SetupFailure(
    `Mosaic cannot listen on ${host}:${port} (${code}).`,
    'Choose another address with HOST and PORT, INTERNAL_HOST and INTERNAL_PORT.'
  )
}
