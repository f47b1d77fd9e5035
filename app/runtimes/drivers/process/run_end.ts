import { unlessFull } from '#runtimes/drivers/process/disk_errors'
import type { Children } from '#runtimes/drivers/process/children'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import type { AgentRecord, Run, RunExit } from '#runtimes/drivers/process/records'
import type { Terminator } from '#runtimes/drivers/process/terminator'

/**
 * Ends all processes of an agent, and records that this was intended. Returns the same record if
 * nothing of its run was left.
 */
export async function endRun(
  agents: AgentRegistry,
  record: AgentRecord,
  graceMs: number,
  parts: { table: ProcTable; children: Children; terminator: Terminator }
): Promise<AgentRecord> {
  const { table, children, terminator } = parts
  const folder = agents.folder(record)
  const { run } = record
  if (!run || run.exit || !table.findSame(run)) {
    await terminator.killRest(record, folder)
    return record
  }
  // A full disk must not prevent the stop; the agent then merely seems to have ended by itself.
  const keep = (changed: AgentRecord) => agents.save(changed).catch(unlessFull)
  await keep({ ...record, run: { ...run, stopRequested: true } })
  await terminator.end(record, folder, graceMs)
  const code = (await children.exitOf(record.name, run))?.code ?? null
  const exit = { code, outOfMemory: false, failure: null }
  const ended = { ...record, run: { ...run, stopRequested: true, exit } }
  await keep(ended)
  return ended
}

/**
 * Returns the record with this run's exit, or null if the exit is already recorded or another run has
 * started.
 */
export function withExit(record: AgentRecord, run: Run, exit: RunExit): AgentRecord | null {
  if (record.run?.startedAt !== run.startedAt || record.run.exit) return null
  const failure = record.run.stopRequested ? null : exit.failure
  return { ...record, run: { ...record.run, exit: { ...exit, failure } } }
}
