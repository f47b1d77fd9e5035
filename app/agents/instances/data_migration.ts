import { RuntimeError } from '#runtimes/errors'
import type { InstanceRef, InstanceSpec, RuntimeContext, RuntimeDriver } from '#runtimes/contract'

/**
 * Moves an agent's data from its former runtime to the one that it starts on. The agent runs in neither.
 * A second call is a no-op. After an interruption the move starts over: the source is purged only once
 * all data has arrived.
 *
 * @returns whether there was any data
 * @throws RuntimeError when the source cannot export or the target cannot import it; nothing has changed
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

/** The runtime that holds the agent's data is not installed: the agent can neither move nor start empty. */
export function strandedIn(runtime: string): RuntimeError {
  const message = `The agent's data is in the runtime "${runtime}", which is not installed any more.`
  return new RuntimeError('data_stranded', message, {
    help: `Install the plugin of "${runtime}" again (node ace plugin:add), and restart Mosaic.`,
  })
}
