import env from '#start/env'

const host = env.get('INTERNAL_HOST') ?? '127.0.0.1'
const port = env.get('INTERNAL_PORT') ?? 3334

/** Addresses that mean "every interface": a caller on this machine uses loopback instead. */
const EVERYWHERE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const isBalanced = env.get('INTERNAL_URL') !== undefined
const reachable = EVERYWHERE[host] ?? host

/** The listener that only agents call: their documents and their models. */
const internalConfig = {
  host,
  port,
  /**
   * Where an agent on this machine reaches it, without a slash at the end. Agents keep the address that they
   * were started with, so replicas of Mosaic have to give them one that leads to any of them.
   */
  url:
    env.get('INTERNAL_URL')?.replace(/\/$/, '') ??
    `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`,
  /**
   * How many connections agents may hold open, all together and from one address: most use a few. Behind a
   * load balancer all of them have its address.
   */
  connections: { total: 8192, perAddress: isBalanced ? 8192 : 1024 },
  /** How often agents may ask from one address: one at work asks a few times a second. */
  requests: { perSecond: isBalanced ? Infinity : 200, burst: 1000 },
  /** How long answers in flight may still run when Mosaic stops, in milliseconds. */
  drainMs: 5000,
}

export default internalConfig
