import env from '#start/env'

const host = env.get('INTERNAL_HOST') ?? '127.0.0.1'
const port = env.get('INTERNAL_PORT') ?? 3334

/** Addresses that mean "every interface", and the loopback address for callers on this machine. */
const EVERYWHERE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const isBalanced = env.get('INTERNAL_URL') !== undefined
const reachable = EVERYWHERE[host] ?? host

/** The listener for agents only, which serves their documents and models. */
const internalConfig = {
  host,
  port,
  /**
   * The URL for agents on this machine, without a trailing slash. Agents keep the URL that they were
   * started with, so with several replicas of Mosaic it must lead to any of them.
   */
  url:
    env.get('INTERNAL_URL')?.replace(/\/$/, '') ??
    `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`,
  /**
   * Limits of agents' open connections, in total and per address; most agents use a few. Behind a load
   * balancer all connections come from its address.
   */
  connections: { total: 8192, perAddress: isBalanced ? 8192 : 1024 },
  /** Request rate per address. A working agent sends a few requests per second. */
  requests: { perSecond: isBalanced ? Infinity : 200, burst: 1000 },
}

export default internalConfig
