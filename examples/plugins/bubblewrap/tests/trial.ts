import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { impostorOf, launchTrial, type LaunchTrial } from '@mosaic/plugin-kit/testing'
import { BubblewrapDriver } from '../src/driver.ts'
import { OPTIONS, type Options } from '../src/options.ts'

/** Whether this machine can create sandboxes. */
export function canSandbox(): boolean {
  try {
    execFileSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '/bin/true'])
    return true
  } catch {
    return false
  }
}

export const { capabilities } = new BubblewrapDriver({
  installation: 'none',
  launch: { storage: '', launcher: '', node: '', openclaw: () => '' },
  options: async () => ({}),
})

/** Runs the driver on its own storage folder, with a fast-starting double of OpenClaw. */
export function prepare(values?: Options): Promise<LaunchTrial> {
  return launchTrial({
    name: 'bubblewrap',
    options: OPTIONS,
    values,
    open: (context) => new BubblewrapDriver(context),
    kill: async ({ id }) => void process.kill(Number(id), 'SIGKILL'),
    plant: async (name, storage) => {
      const folder = join(storage, 'agents', name)
      const file = join(folder, 'notes.txt')
      await mkdir(folder, { recursive: true })
      await writeFile(file, 'mine')
      return async () => existsSync(file) && (await readFile(file, 'utf8')) === 'mine'
    },
    impersonate: impostorOf,
  })
}
