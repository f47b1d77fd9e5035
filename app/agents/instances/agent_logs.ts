import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import { instanceRef } from '#agents/state/agent_repository'
import { linesOf } from '#bounded/lines_of'
import type SystemContainer from '#models/system_container'

/** Lines of a log that are read at once: what fits a page that a person reads. */
const TAIL = 200
/** Characters of one line: a stack trace in JSON fits. */
const LINE_LENGTH = 16 * 1024
/** An engine that needs longer is as good as away. */
const READ_MS = 10_000

/**
 * The logs of system agents, which work for the installation. Nobody's own agent has its logs read here:
 * they are its owner's.
 */
export class AgentLogs {
  constructor(protected context: Pick<AgentsContext, 'runtimes' | 'clock'>) {}

  /**
   * The last lines, the oldest first. None where it never ran.
   *
   * @throws DeadlineExceeded, RuntimeError
   */
  async read(row: SystemContainer): Promise<string[]> {
    const { runtimes, clock } = this.context
    if (!row.runtime || !runtimes.names().includes(row.runtime)) return []
    const driver = await runtimes.use(row.runtime)
    return within(clock, READ_MS, undefined, (signal) =>
      linesOf(driver.logs(instanceRef(row), { tail: TAIL }), {
        maxLines: TAIL,
        maxLength: LINE_LENGTH,
        signal,
      })
    )
  }
}
