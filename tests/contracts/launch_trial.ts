import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { doubleWithin } from '#tests/contracts/double_within'
import { AgentDocuments } from '#tests/doubles/agent_documents'
import { installFakeOpenclaw } from '#tests/doubles/fake_openclaw'
import { installedOpenClaw, launchFor, type RuntimeLaunch } from '#runtimes/launch'
import type { Instance, RuntimeDriver } from '#runtimes/contract'
import type { RuntimeDriverContext } from '#runtimes/define_config'
import { defaultsOf, type RuntimeOption, type RuntimeOptionValues } from '#runtimes/options'
import type { HostileTrial } from '#tests/contracts/runtime_hostile'

/** The launcher, as Mosaic starts it. */
export const LAUNCHER = fileURLToPath(new URL('../../docker/agent/entrypoint.sh', import.meta.url))

export interface LaunchTrialInput extends Pick<HostileTrial, 'impersonate'> {
  /** As `within` of a trial. Defaults to the double of OpenClaw, on the port after its gateway's. */
  within?: HostileTrial['within']
  /** The driver's name. */
  name: string
  /** The driver's options, and the values that differ from their defaults. */
  options?: readonly RuntimeOption[]
  values?: RuntimeOptionValues
  /** Creates the driver, as its factory does. */
  open(context: RuntimeDriverContext): RuntimeDriver | Promise<RuntimeDriver>
  /** As `kill` of a trial. `storage` is the driver's own folder. */
  kill(instance: Instance, storage: string): Promise<void>
  /** As `plant` of a trial. */
  plant(name: string, storage: string): Promise<() => Promise<boolean>>
  /** Removes what the driver's own verbs leave behind, such as planted objects. */
  close?(storage: string): Promise<void>
  /** Address by which instances reach a server of this machine, if not loopback. */
  documentsHost?: string
}

/** A trial, with the input that its driver received. */
export interface LaunchTrial extends HostileTrial {
  /** The documents that the launcher fetches, and the requests for them. */
  documents: AgentDocuments
  /** The `launch` passed to every driver of the trial. */
  launch: RuntimeLaunch
}

/**
 * Creates a complete trial for a driver that starts OpenClaw through the launcher: a storage folder, a double
 * of OpenClaw that starts within a tenth of a second and keeps its sessions in its state folder, and the
 * documents that the launcher fetches. `close` ends all of it.
 */
export async function launchTrial(input: LaunchTrialInput): Promise<LaunchTrial> {
  const { name, within = doubleWithin, impersonate, documentsHost } = input
  const folder = await mkdtemp(join(tmpdir(), `mosaic-${name}-`))
  await chmod(folder, 0o755)
  const documents = await new AgentDocuments().start(documentsHost && '0.0.0.0')
  const launch = launchFor(name, {
    storage: join(folder, 'storage'),
    openclaw: [await installFakeOpenclaw(join(folder, 'openclaw'))],
    entrypoint: LAUNCHER,
  })
  const drivers: RuntimeDriver[] = []
  const values = { ...defaultsOf(input.options ?? []), ...input.values }
  const open = async (installation: string, given: RuntimeLaunch) => {
    const driver = await input.open({ installation, launch: given, options: async () => values })
    drivers.push(driver)
    return driver
  }
  return {
    within,
    impersonate,
    documents,
    launch,
    apiUrl: documentsHost ? documents.url.replace('127.0.0.1', documentsHost) : documents.url,
    kill: (instance) => input.kill(instance, launch.storage),
    broken: () =>
      open('installation-here', {
        ...launch,
        openclaw: () => installedOpenClaw([join(folder, 'nowhere')]),
      }),
    plant: (planted) => input.plant(planted, launch.storage),
    open: (installation) => open(installation, launch),
    async close() {
      for (const driver of drivers) {
        for await (const { name: left } of driver.list()) {
          await driver.remove({ name: left, state: null })
        }
        await driver.close?.()
      }
      await input.close?.(launch.storage)
      await documents.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
