/** What an agent's container has in common, whatever creates it: its layout, environment and health check. */
import type Docker from 'dockerode'
import type { InstanceSpec } from '#runtimes/contract'

/** The agents' user in every image; OpenClaw's own image calls it `node`. */
export const AGENT_UID = 1000

/** The port of the gateway inside its container. */
export const GATEWAY_PORT = 18789

/** The agent's data, on a volume of its own. */
export const STATE_FOLDER = '/home/node/.openclaw'

/** The launcher and the token, read-only. */
export const HANDED_FOLDER = '/run/mosaic'

/** Interval of the engine's health check; long, because each check starts a Node process. */
const HEALTH_EVERY_NS = 60 * 1e9
const HEALTH_TIMEOUT_NS = 10 * 1e9
const BOOT_NS = 180 * 1e9

const HEALTH_CHECK =
  `fetch('http://127.0.0.1:${GATEWAY_PORT}/healthz')` +
  `.then((answer)=>process.exit(answer.ok?0:1),()=>process.exit(1))`

export const HEALTHCHECK: Docker.HealthConfig = {
  Test: ['CMD', 'node', '-e', HEALTH_CHECK],
  Interval: HEALTH_EVERY_NS,
  Timeout: HEALTH_TIMEOUT_NS,
  StartPeriod: BOOT_NS,
  Retries: 3,
}

/** Returns the launcher's environment. It contains no secret: the token is in a file. */
export function agentEnvironment(spec: InstanceSpec, state = STATE_FOLDER): string[] {
  const cache = `${state}/.cache`
  const variables = {
    HOME: '/home/node',
    LANG: 'C.UTF-8',
    TZ: Intl.DateTimeFormat().resolvedOptions().timeZone,
    XDG_CACHE_HOME: cache,
    NODE_COMPILE_CACHE: `${cache}/node`,
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_CONFIG_PATH: `${state}/openclaw.json`,
    // Otherwise OpenClaw restarts itself once, only to name a subfolder of the cache.
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    AGENT_ID: spec.agent,
    MOSAIC_API_URL: spec.apiUrl,
    MOSAIC_SECRETS_FILE: `${HANDED_FOLDER}/secrets.json`,
    MOSAIC_GATEWAY_PORT: String(GATEWAY_PORT),
    MOSAIC_GATEWAY_BIND: 'lan',
  }
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`)
}

/**
 * Returns an unreachable name server for agents with sealed egress, or undefined for the machine's own. Otherwise an
 * engine resolves names for its containers, past their packet filter, if the machine's resolver is on its loopback.
 */
export function nameServers(egress: 'open' | 'sealed'): string[] | undefined {
  return egress === 'sealed' ? ['192.0.2.1'] : undefined
}

/**
 * The part of probes that looks a name up: it defines `names(host, tell)`, which tells `found`, `timeout` or an error
 * code.
 */
export const NAME_PROBE = `
const names = (host, tell) => {
  const late = setTimeout(tell, 3000, 'timeout')
  require('node:dns').lookup(host, (error) => {
    clearTimeout(late)
    tell(error ? error.code : 'found')
  })
}`

/** A name that every public name server knows. */
export const PUBLIC_NAME = 'example.com'
