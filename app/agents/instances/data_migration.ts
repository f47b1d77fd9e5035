import { Readable } from 'node:stream'
import { pieces } from '#bounded/body'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import type { AgentsContext } from '#agents/context'
import { agentOf, instanceRef } from '#agents/state/agent_repository'
import type { AgentRow } from '#agents/types'
import { RuntimeError } from '#runtimes/errors'
import type {
  DriverState,
  InstanceRef,
  InstanceSpec,
  RuntimeContext,
  RuntimeDriver,
} from '#runtimes/contract'
import { within } from '#timing/deadline'

const MEGABYTE = 1024 * 1024

interface MoveContext extends RuntimeContext {
  /** Sparse files arrive expanded, so a few bytes on one disk could fill another. */
  maxMb: number
}

/**
 * Moves an agent's data from its former runtime to the one it starts on, while it runs in neither. A
 * second call is a no-op. After an interruption the move starts over: the source is purged only once
 * all data has arrived. If the source had itself only imported the data and never started well with it,
 * it restores what it had before.
 *
 * @returns the target's notes, or null
 * @throws RuntimeError if the source cannot export or the target cannot import; nothing has changed
 */
export async function migrateData(
  ref: InstanceRef,
  spec: InstanceSpec,
  from: RuntimeDriver,
  to: RuntimeDriver,
  { maxMb, ...context }: MoveContext
): Promise<DriverState | null> {
  if (!from.exportData || !to.importData) {
    const unable = from.exportData ? to.name : from.name
    const message = `The runtime "${unable}" cannot move the data of agents.`
    throw new RuntimeError('data_stranded', message, {
      help: `Choose the runtime "${from.name}" again in the settings: the agent's data is there.`,
    })
  }
  const data = await from.exportData(ref, context)
  if (!data) return null

  context.onProgress?.("Moving the agent's data")
  const limits = { what: "The agent's data", maxBytes: maxMb * MEGABYTE, signal: context.signal }
  const bounded = Readable.from(pieces(data, limits), { objectMode: false })
  let state: DriverState | void
  try {
    state = await to.importData(spec, bounded, context)
  } catch (error) {
    const { errored } = bounded
    throw errored instanceof E_INPUT_TOO_LARGE ? tooLarge(from.name, maxMb, errored) : error
  } finally {
    bounded.destroy()
    data.destroy()
  }
  if (!(await from.undoImport?.(ref))) await from.purge(ref)
  return state ?? null
}

/**
 * Deletes the data that a move replaced, once the agent has started well. A failure does not fail the
 * start: the next start tries again.
 */
export async function settleMigration(
  row: AgentRow,
  driver: RuntimeDriver,
  { clock, timeouts, logger }: Pick<AgentsContext, 'clock' | 'timeouts' | 'logger'>
): Promise<void> {
  const settled = within(clock, timeouts.inspectMs, undefined, async () =>
    driver.keepImport?.(instanceRef(row))
  )
  await settled.catch((error: unknown) => {
    logger.warn({ err: error, agent: agentOf(row) }, 'Could not delete data that a move replaced')
  })
}

function tooLarge(from: string, maxMb: number, cause: Error): RuntimeError {
  const message = `The agent's data is larger than the ${maxMb} MB that may move to another runtime.`
  return new RuntimeError('data_stranded', message, {
    cause,
    help: `Raise the setting runtime.moveMb, or choose the runtime "${from}" again: the data is there.`,
  })
}

/**
 * Returns the error for an agent whose data is in a runtime that is not installed: it can neither move
 * nor start empty.
 */
export function strandedIn(runtime: string): RuntimeError {
  const message = `The agent's data is in the runtime "${runtime}", which is not installed any more.`
  return new RuntimeError('data_stranded', message, {
    help: `Install the plugin of "${runtime}" again (node ace plugin:add), and restart Mosaic.`,
  })
}
