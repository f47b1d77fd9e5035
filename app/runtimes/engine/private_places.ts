import { readFileSync } from 'node:fs'
import { isPrivate } from '#runtimes/private_networks'
import type { ForbiddenPlace } from '#runtimes/drivers/docker/options'

/** Nothing listens on this port, but a refusal proves that the way is open. */
export const CLOSED_PORT = 9

/** Enough to tell whether private networks are closed. */
const MOST_SERVERS = 3

/**
 * Returns places in private networks that show whether agents would reach these: the metadata service of a cloud, and
 * the machine's name servers. Nobody knows all private networks, so more than that cannot be tried.
 *
 * @param resolvers `resolv.conf`. In a container an engine notes the machine's name servers in a comment.
 */
export function privatePlaces(resolvers = readResolvers()): ForbiddenPlace[] {
  const addresses = resolvers.match(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g) ?? []
  const servers = [...new Set(addresses)].filter(
    (address) => isPrivate(address) && !address.startsWith('127.')
  )
  return [
    { name: 'the metadata service of the cloud', host: '169.254.169.254', port: 80 },
    ...servers.slice(0, MOST_SERVERS).map((host) => ({
      name: 'a private network',
      host,
      port: CLOSED_PORT,
    })),
  ]
}

function readResolvers(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    return ''
  }
}
