import { launchTrial, MemoryDriver, plantIn, type LaunchTrial } from '@mosaic/plugin-kit/testing'
import { AcmeDriver, engineOf } from '../src/driver.ts'
import { OPTIONS } from '../src/options.ts'

export const { capabilities } = new AcmeDriver({
  installation: 'none',
  launch: { storage: '', launcher: '', node: '', openclaw: () => '' },
  options: async () => ({}),
})

/** The driver over a storage folder of its own, with a double of OpenClaw that starts fast. */
export function prepare(): Promise<LaunchTrial> {
  return launchTrial({
    name: 'acme',
    options: OPTIONS,
    open: (context) => new AcmeDriver(context),
    /** Ends an instance from outside, as a crash does. */
    kill: ({ name }, storage) => new MemoryDriver({ world: engineOf(storage) }).crash(name, 137),
    /** Makes something of the same name that is not Mosaic's, and returns a check that it is untouched. */
    plant: (name, storage) => plantIn(engineOf(storage), name),
    /** Ends what is left, as what was planted: else this process would never end. */
    close: (storage) => new MemoryDriver({ world: engineOf(storage) }).reset(),
  })
}
