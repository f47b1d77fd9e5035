import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AgentFolder } from '#runtimes/drivers/process/agent_folder'
import type { InstallPaths } from '#runtimes/drivers/process/install_paths'

/** A file or folder of the machine, and where an agent sees it. */
export interface Mount {
  /** Absolute and without links. */
  path: string
  /** The same path, or a neutral one in `/run`, which is a sandbox's own. */
  at: string
}

/** An agent's folder, as the agent sees it: OpenClaw tells its workspace to the provider. */
export const AGENT_AT = '/run/agent'

const PROGRAMS_AT = '/run/openclaw'
const PACKAGES_AT = `${PROGRAMS_AT}/node_modules`

/** The paths that an agent sees, and the mounts that put them there. */
export interface View {
  folder: AgentFolder
  programs: Pick<InstallPaths, 'openclaw' | 'entrypoint' | 'node'>
  mounts: Mount[]
}

/** Returns what an agent sees of its folder and programs: nothing of the machine's own paths. */
export async function viewOf(folder: AgentFolder, paths: InstallPaths): Promise<View> {
  const { mount: packages, openclaw } = packagesOf(paths.openclaw)
  const mounts = [
    { path: folder.path, at: AGENT_AT },
    packages,
    { path: paths.entrypoint, at: `${PROGRAMS_AT}/entrypoint.sh` },
    nodeOf(await realpath(paths.node)),
  ]
  const [, , entrypoint, node] = mounts
  return {
    folder: new AgentFolder(AGENT_AT, folder.user),
    programs: { openclaw, entrypoint: entrypoint.at, node: node.at },
    mounts: await Promise.all(
      mounts.map(async ({ path, at }) => ({ path: await realpath(path), at }))
    ),
  }
}

/** A package needs its siblings in `node_modules`. */
function packagesOf(openclaw: string): { mount: Mount; openclaw: string } {
  const name = basename(openclaw)
  if (basename(dirname(openclaw)) === 'node_modules') {
    return {
      mount: { path: dirname(openclaw), at: PACKAGES_AT },
      openclaw: join(PACKAGES_AT, name),
    }
  }
  const at = join(PACKAGES_AT, 'openclaw')
  return { mount: { path: openclaw, at }, openclaw: at }
}

/** A Node with its npm belongs to the machine's programs, and stays beside them. */
function nodeOf(path: string): Mount {
  const isInstalled = existsSync(join(dirname(path), 'npm'))
  return { path, at: isInstalled ? path : `${PROGRAMS_AT}/bin/${basename(path)}` }
}
