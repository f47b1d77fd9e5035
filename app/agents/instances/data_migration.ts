import { RuntimeError } from '#runtimes/errors'
import type { InstanceRef, InstanceSpec, RuntimeContext, RuntimeDriver } from '#runtimes/contract'

/**
 * Moves the data of an agent from the runtime that it left to the one that it starts on. Nothing of it
 * runs in either. Done twice it does nothing; interrupted, it begins anew: the data goes from where it was
 * only once all of it has arrived.
 *
 * @returns whether there was any
 * @throws RuntimeError when the one cannot hand it over or the other cannot take it; then nothing has changed
 */
export async function migrateData(
  ref: InstanceRef,
  spec: InstanceSpec,
  from: RuntimeDriver,
  to: RuntimeDriver,
  context: RuntimeContext
): Promise<boolean> {
  if (!from.exportData || !to.importData) {
    const unable = from.exportData ? to.name : from.name
    const message = `The runtime "${unable}" cannot move the data of agents.`
    throw new RuntimeError('data_stranded', message, {
      help: `Choose the runtime "${from.name}" again in the settings: the agent's data is there.`,
    })
  }
  const data = await from.exportData(ref, context)
  if (!data) return false

  context.onProgress?.("Moving the agent's data")
  try {
    await to.importData(spec, data, context)
  } finally {
    data.destroy()
  }
  await from.purge(ref)
  return true
}

/** The runtime that an agent's data is in is not installed any more: nothing can be moved, nor started empty. */
export function strandedIn(runtime: string): RuntimeError {
  const message = `The agent's data is in the runtime "${runtime}", which is not installed any more.`
  return new RuntimeError('data_stranded', message, {
    help: `Install the plugin of "${runtime}" again, name it in config/runtime.ts, and restart Mosaic.`,
  })
}
