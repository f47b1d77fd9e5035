import type { Socket } from 'node:net'
import { Agent, buildConnector, fetch as plainFetch } from 'undici'
import type { RuntimeDriver } from '#runtimes/contract'

/** `fetch` for a driver's gateways, through its `dial` if it has one. Does not keep connections alive. */
export function fetchBy(driver: RuntimeDriver): typeof globalThis.fetch {
  const plain = buildConnector({})
  const connect: buildConnector.connector = (target, callback) => {
    const endpoint = new URL(`${target.protocol}//${target.hostname}:${target.port}`)
    const isDialed = driver.dial && endpoint.hostname.endsWith(`.${driver.name}.internal`)
    if (!isDialed) return plain(target, callback)
    driver.dial!(endpoint).then(
      (socket) => callback(null, socket as Socket),
      (error) => callback(error, null)
    )
  }
  return (async (url: string, init: { signal?: AbortSignal } = {}) => {
    const dispatcher = new Agent({ connect, pipelining: 0 })
    return plainFetch(url, { ...init, dispatcher })
  }) as typeof globalThis.fetch
}
