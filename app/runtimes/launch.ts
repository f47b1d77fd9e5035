/** Everything a driver needs to start OpenClaw through Mosaic's launcher, in any environment. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Secret } from '@adonisjs/core/helpers'
import type { InstanceSpec } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'

/** OpenClaw and launcher options of Mosaic's configuration. */
export interface LaunchConfig {
  /** Mosaic's storage folder. */
  storage: string
  /** Candidate folders of the OpenClaw package; the first that exists is used. */
  openclaw: string[]
  /** The launcher script. */
  entrypoint: string
  /** The agents' Node binary; defaults to Mosaic's. */
  node?: string
}

/** Locations of everything that a driver needs to start an agent. All paths are absolute. */
export interface RuntimeLaunch {
  /** A folder for the driver's own data, below Mosaic's storage. The driver creates it. */
  storage: string
  /**
   * The launcher: a POSIX shell script that fetches the agent's document from Mosaic and becomes its
   * gateway. Run it as the agent, with the variables of `launcherEnvironment`.
   */
  launcher: string
  /** The agents' Node binary. */
  node: string
  /**
   * Returns the package folder of OpenClaw, which needs the packages beside it.
   *
   * @throws RuntimeError `image_missing` if OpenClaw is not installed
   */
  openclaw(): string
}

/** Returns the launch of one driver, with a storage folder of its own. */
export function launchFor(driver: string, config: LaunchConfig): RuntimeLaunch {
  return {
    storage: join(config.storage, 'runtimes', driver),
    launcher: config.entrypoint,
    node: config.node ?? process.execPath,
    openclaw: () => installedOpenClaw(config.openclaw),
  }
}

/**
 * Returns the first folder that contains the package.
 *
 * @throws RuntimeError `image_missing`
 */
export function installedOpenClaw(folders: string[]): string {
  const found = folders.find((folder) => existsSync(join(folder, 'package.json')))
  if (found) return found
  throw new RuntimeError('image_missing', `OpenClaw is not installed in ${folders[0]}.`, {
    help: 'Run "npm run quickstart", or "node bin/install_openclaw.mjs", then try again.',
  })
}

/** One agent's paths as the agent itself sees them. */
export interface AgentPlaces {
  /** OpenClaw's state: the agent's persistent data, which `exportData` exports. */
  state: string
  home: string
  cache: string
  temporary: string
  /** The file with its token: see `secretsFile`. */
  secrets: string
}

export interface LauncherInput {
  spec: Pick<InstanceSpec, 'agent' | 'apiUrl'>
  places: AgentPlaces
  /** The Node binary and OpenClaw's package folder, as the agent sees them. */
  node: string
  openclaw: string
  /** The gateway's port. */
  port: number
  /** `loopback` for a gateway in Mosaic's own network, `lan` for one with its own network. */
  bind: 'loopback' | 'lan'
  /** Folders of programs, separated by colons, searched after Node's own. */
  path?: string
}

/** The host name of every sandbox and container. OpenClaw tells it to providers, and its leases name it. */
export const AGENT_HOST = 'agent'

/** The system's program folders; Mosaic's own PATH may be arbitrary. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Returns the launcher's complete environment. It must contain nothing of Mosaic's own and no secret. */
export function launcherEnvironment(input: LauncherInput): Record<string, string> {
  const { spec, places, node, openclaw, port, bind, path = SYSTEM_PATH } = input
  return {
    PATH: `${dirname(node)}:${path}`,
    HOME: places.home,
    LANG: 'C.UTF-8',
    TZ: Intl.DateTimeFormat().resolvedOptions().timeZone,
    TMPDIR: places.temporary,
    XDG_CACHE_HOME: places.cache,
    NODE_COMPILE_CACHE: `${places.cache}/node`,
    OPENCLAW_HOME: places.home,
    OPENCLAW_STATE_DIR: places.state,
    OPENCLAW_CONFIG_PATH: `${places.state}/openclaw.json`,
    OPENCLAW_NO_AUTO_UPDATE: '1',
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_NO_RESPAWN: '1',
    // Otherwise OpenClaw restarts itself once, only to name a subfolder of the cache.
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    AGENT_ID: spec.agent,
    MOSAIC_API_URL: spec.apiUrl,
    MOSAIC_SECRETS_FILE: places.secrets,
    MOSAIC_GATEWAY_PORT: String(port),
    MOSAIC_GATEWAY_BIND: bind,
    MOSAIC_NODE: node,
    MOSAIC_OPENCLAW: openclaw,
  }
}

/**
 * Returns the content of an agent's secrets file. OpenClaw accepts the file only if it belongs to the
 * agent's user and no other user or group can read it: mode 0400 or 0600.
 */
export function secretsFile(token: Secret<string>): string {
  return JSON.stringify({ token: token.release() })
}
