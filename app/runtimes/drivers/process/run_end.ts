import { unlessFull } from '#runtimes/drivers/process/disk_errors'
import type { Children } from '#runtimes/drivers/process/children'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { Terminator } from '#runtimes/drivers/process/terminator'

/**
 * Ends all that runs of an agent, and keeps in its record that this was wanted. Gives back the same record
 * where nothing of its run was left.
 */
export async function endRun(
  agents: AgentRegistry,
  record: AgentRecord,
  graceMs: number,
  parts: { table: ProcTable; children: Children; terminator: Terminator }
): Promise<AgentRecord> {
  const { table, children, terminator } = parts
  const { state } = agents.folder(record)
  const { run } = record
  if (!run || run.exit || !table.findSame(run)) {
    await terminator.killRest(record, state)
    return record
  }
  // A full disk must not keep an agent from being ended: then it just looks as if it ended by itself.
  const keep = (changed: AgentRecord) => agents.save(changed).catch(unlessFull)
  await keep({ ...record, run: { ...run, stopRequested: true } })
  await terminator.end(record, state, graceMs)
  const code = (await children.exitOf(record.name, run))?.code ?? null
  const exit = { code, outOfMemory: false, failure: null }
  const ended = { ...record, run: { ...run, stopRequested: true, exit } }
  await keep(ended)
  return ended
}
