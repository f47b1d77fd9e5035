/** What every driver needs to start OpenClaw by Mosaic's launcher, whatever it runs it in. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Secret } from '@adonisjs/core/helpers'
import type { InstanceSpec } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'

/** What `config/runtime.ts` says of OpenClaw and the launcher. */
export interface LaunchConfig {
  /** Mosaic's storage folder. */
  storage: string
  /** Folders of the OpenClaw package; the first that exists counts. */
  openclaw: string[]
  /** The launcher script. */
  entrypoint: string
  /** The Node binary that agents run on; by default the one that Mosaic runs on. */
  node?: string
}

/** Where a driver finds everything that it starts an agent from. All paths are absolute. */
export interface RuntimeLaunch {
  /** A folder for the driver's own data, below Mosaic's storage. The driver makes it. */
  storage: string
  /**
   * The launcher: a POSIX shell script that fetches the agent's document from Mosaic and becomes its
   * gateway. Run it as the agent, with the variables of `launcherEnvironment`.
   */
  launcher: string
  /** The Node binary that agents run on. */
  node: string
  /**
   * Returns the package folder of OpenClaw, which needs the packages beside it.
   *
   * @throws RuntimeError `image_missing` if OpenClaw is not installed
   */
  openclaw(): string
}

/** The launch of one driver, with a storage folder of its own. */
export function launchFor(driver: string, config: LaunchConfig): RuntimeLaunch {
  return {
    storage: join(config.storage, 'runtimes', driver),
    launcher: config.entrypoint,
    node: config.node ?? process.execPath,
    openclaw: () => installedOpenClaw(config.openclaw),
  }
}

/**
 * Returns the first of the folders that holds a package.
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

/** Where one agent lives, by the paths that the agent itself sees. */
export interface AgentPlaces {
  /** OpenClaw's state: what the agent keeps, and what `exportData` exports. */
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
  /** The Node binary and OpenClaw's package folder, by the paths that the agent sees. */
  node: string
  openclaw: string
  /** The port of the gateway. */
  port: number
  /** `loopback` for a gateway in Mosaic's own network, `lan` for one that has its own. */
  bind: 'loopback' | 'lan'
  /** Folders of programs, separated by colons, after Node's own. */
  path?: string
}

/** Where the programs of the system are; Mosaic's own PATH may lead anywhere. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The environment of the launcher, complete: nothing of Mosaic's own belongs in it, and no secret. */
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
    // Else OpenClaw starts itself once more, only to name a subfolder of the cache.
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
 * The content of an agent's secrets file. OpenClaw accepts the file only if it belongs to the agent's user
 * and no other user or group can read it: mode 0400 or 0600.
 */
export function secretsFile(token: Secret<string>): string {
  return JSON.stringify({ token: token.release() })
}
