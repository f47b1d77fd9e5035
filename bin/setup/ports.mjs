import { createServer } from 'node:net'
import { SetupFailure } from './failure.mjs'

/** Milliseconds for what holds a port to say whether it is Mosaic. */
const ANSWER_MS = 3000

/**
 * Fails with one clear sentence if an address cannot be listened on.
 *
 * @param {{ host: string, port: number, variable: string }} listener `variable` configures it.
 * @throws SetupFailure
 */
export async function checkFree({ host, port, variable }) {
  const code = (await failureOf({ host, port })) ?? (await besideFailure({ host, port }))
  if (!code) return

  if (code === 'EADDRINUSE' && (await isMosaic({ host, port }))) {
    throw new SetupFailure(
      `Mosaic is running: it has port ${port} on ${host}.`,
      'Stop it first, with Ctrl-C where it runs. A second Mosaic needs a clone, a database and both ports (PORT, INTERNAL_PORT) of its own.'
    )
  }
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

/** Mosaic binds its port on loopback of both families: see `start/listen_alone.ts`. */
async function besideFailure({ host, port }) {
  if (host !== '127.0.0.1' && host !== 'localhost') return null
  const code = await failureOf({ host: '::1', port })
  return code === 'EADDRINUSE' ? code : null
}

/** Both listeners answer an unknown address of the API in the same words. */
async function isMosaic({ host, port }) {
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}/api/nothing`
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS) })
    const { errors } = await answer.json()
    return errors[0].message === 'There is nothing at this address.'
  } catch {
    return false
  }
}

function failureOf({ host, port }) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(error.code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}
