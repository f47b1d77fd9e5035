import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import { instanceRef, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey } from '#agents/types'
import { linesOf } from '#bounded/lines_of'
import type SystemContainer from '#models/system_container'

/** Lines of a log that are read at once: what fits a page that a person reads. */
const TAIL = 200
/** Enough to see why it ended. */
const CRASH_TAIL = 40
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

/**
 * What an agent that is in trouble wrote last. It is its gateway's own log, without conversations and with
 * its token crossed out, but what went wrong is its owner's affair: show it to nobody else.
 */
export class CrashLog {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>,
    protected rows: Pick<AgentRepository, 'find'>
  ) {}

  /** Oldest first. None of an agent that is well, and none where the runtime does not answer. */
  async of(agent: AgentKey): Promise<string[]> {
    const { runtimes, clock, timeouts, logger } = this.context
    const row = await this.rows.find(agent)
    if (row?.status !== 'error' || !row.runtime) return []
    if (!runtimes.names().includes(row.runtime)) return []
    const driver = await runtimes.use(row.runtime)
    const read = within(clock, timeouts.inspectMs, undefined, (signal) =>
      linesOf(driver.logs(instanceRef(row), { tail: CRASH_TAIL }), {
        maxLines: CRASH_TAIL,
        maxLength: LINE_LENGTH,
        signal,
      })
    )
    return read.catch((error: unknown) => {
      logger.warn({ err: error, agent }, 'Could not read what an agent wrote last')
      return []
    })
  }
}
