import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { addressPolicy, type AddressPolicy } from '#llm/address_policy'
import { E_BLOCKED_ADDRESS } from '#llm/errors'
import { watchConnection } from '#llm/standing_connections'
import { faultOfAddress } from '#llm/web_address'

/** Connect timeout in milliseconds: a machine that answers at all answers sooner. */
const CONNECT_TIMEOUT_MS = 5000

export interface ResolvedAddress {
  address: string
  family: number
}

/** Resolves all addresses of a host name. Rejects like `dns.lookup`. */
export type Resolve = (hostname: string) => Promise<ResolvedAddress[]>

export interface GuardOptions {
  /** Private ranges (CIDR) that may be called: the setting `network.allowedRanges`. */
  allowedRanges: string[]
  resolve?: Resolve
}

const resolveWithSystem: Resolve = (hostname) => lookup(hostname, { all: true })

/**
 * Creates an undici dispatcher that connects only where `addressPolicy` allows. Resolves a name once per
 * connection and refuses it if any of its addresses is not allowed. Connects to the very addresses it checked,
 * so a name that changes its answer gains nothing. Follows no redirects; speaks HTTP/1.1. Close it after use.
 *
 * A refused request rejects with E_BLOCKED_ADDRESS (through `fetch`: as the `cause`). Check the URL with
 * `assertCallable` as well.
 */
export function guardedDispatcher(
  { allowedRanges, resolve = resolveWithSystem }: GuardOptions,
  options: Omit<Agent.Options, 'connect' | 'interceptors'> = {}
): Dispatcher {
  const allows = addressPolicy(allowedRanges)
  const connector = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup(allows, resolve),
  })

  return new Agent({
    ...options,
    allowH2: false,
    connect(target, callback) {
      /** An IP address needs no look-up, so Node would skip the custom one. */
      if (isIP(target.hostname) && !allows(target.hostname)) {
        return callback(new E_BLOCKED_ADDRESS(), null)
      }
      return connector(target, (...result: Parameters<typeof callback>) => {
        if (result[1]) watchConnection(result[1])
        callback(...result)
      })
    },
  })
}

/**
 * Parses a URL that a person typed.
 *
 * @throws E_BLOCKED_ADDRESS if it is invalid, not http or https, or has credentials; the message says which
 */
export function assertCallable(url: string): URL {
  const fault = faultOfAddress(url)
  if (fault) throw new E_BLOCKED_ADDRESS(fault)
  const parsed = new URL(url)
  if (parsed.username || parsed.password) {
    throw new E_BLOCKED_ADDRESS('An address must not carry a user name or a password.')
  }
  return parsed
}

function guardedLookup(allows: AddressPolicy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        if (addresses.length === 0) return callback(notFound(hostname), '')
        if (!addresses.every(({ address }) => allows(address))) {
          return callback(new E_BLOCKED_ADDRESS(), '')
        }
        if (options.all) return callback(null, addresses)
        return callback(null, addresses[0].address, addresses[0].family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '')
    )
  }
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
}
