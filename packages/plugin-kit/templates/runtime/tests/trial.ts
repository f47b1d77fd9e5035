import { launchTrial, MemoryDriver, plantIn, type LaunchTrial } from '@mosaic/plugin-kit/testing'
import { AcmeDriver, engineOf } from '../src/driver.ts'
import { OPTIONS } from '../src/options.ts'

export const { capabilities } = new AcmeDriver({
  installation: 'none',
  launch: { storage: '', launcher: '', node: '', openclaw: () => '' },
  options: async () => ({}),
})

/** Runs the driver on its own storage folder, with a fast-starting double of OpenClaw. */
export function prepare(): Promise<LaunchTrial> {
  return launchTrial({
    name: 'acme',
    options: OPTIONS,
    open: (context) => new AcmeDriver(context),
    /** Kills an instance from outside, as a crash would. */
    kill: ({ name }, storage) => new MemoryDriver({ world: engineOf(storage) }).crash(name, 137),
    /** Creates a foreign object of the same name, and returns a check that it is untouched. */
    plant: (name, storage) => plantIn(engineOf(storage), name),
    /** Stops all that is left, including planted objects, so that this process can exit. */
    close: (storage) => new MemoryDriver({ world: engineOf(storage) }).reset(),
  })
}
