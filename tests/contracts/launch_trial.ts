import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { AgentDocuments } from '#tests/doubles/agent_documents'
import { installFakeOpenclaw } from '#tests/doubles/fake_openclaw'
import { launchFor } from '#runtimes/launch'
import type { RuntimeDriver } from '#runtimes/contract'
import type { RuntimeDriverContext } from '#runtimes/define_config'
import type { RuntimeTrial } from '#tests/contracts/runtime'

/** The launcher, as Mosaic starts it. */
export const LAUNCHER = fileURLToPath(new URL('../../docker/agent/entrypoint.sh', import.meta.url))

export interface LaunchTrialInput extends Pick<RuntimeTrial, 'kill' | 'within' | 'restartEngine'> {
  /** The driver's name. */
  name: string
  /** Makes the driver, as its factory does. */
  open(context: RuntimeDriverContext): RuntimeDriver | Promise<RuntimeDriver>
  /** As `plant` of a trial. `storage` is the driver's own folder. */
  plant(name: string, storage: string): Promise<() => Promise<boolean>>
  /** The address by which instances reach a server on this machine, for drivers with networks of their own. */
  documentsHost?: string
}

/**
 * A ready trial for a driver that starts OpenClaw by the launcher: a storage folder, a double of OpenClaw that
 * starts within a tenth of a second and keeps its sessions in its state folder, and the documents that the
 * launcher fetches. All of it ends with `close`.
 */
export async function launchTrial(input: LaunchTrialInput): Promise<RuntimeTrial> {
  const folder = await mkdtemp(join(tmpdir(), `mosaic-${input.name}-`))
  await chmod(folder, 0o755)
  const { documentsHost } = input
  const documents = await new AgentDocuments().start(documentsHost && '0.0.0.0')
  const launch = launchFor(input.name, {
    storage: join(folder, 'storage'),
    openclaw: [await installFakeOpenclaw(join(folder, 'openclaw'))],
    entrypoint: LAUNCHER,
  })
  const drivers: RuntimeDriver[] = []
  return {
    apiUrl: documentsHost ? documents.url.replace('127.0.0.1', documentsHost) : documents.url,
    kill: input.kill,
    within: input.within,
    restartEngine: input.restartEngine,
    plant: (name) => input.plant(name, launch.storage),
    async open(installation) {
      const driver = await input.open({ installation, launch })
      drivers.push(driver)
      return driver
    },
    async close() {
      for (const driver of drivers) {
        for await (const { name } of driver.list()) await driver.remove({ name, state: null })
        await driver.close?.()
      }
      await documents.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
