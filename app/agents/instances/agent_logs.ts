import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import { instanceRef, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey } from '#agents/types'
import { linesOf } from '#bounded/lines_of'
import type SystemContainer from '#models/system_container'

/** Lines of log to read at once: as many as fit a page. */
const TAIL = 200
/** Enough lines to show why the agent crashed. */
const CRASH_TAIL = 40
/** Characters per line; fits a stack trace in JSON. */
const LINE_LENGTH = 16 * 1024
/** An engine that takes longer counts as unreachable. */
const READ_MS = 10_000

/**
 * Logs of system agents, which work for the installation. The logs of a user's agent belong to its
 * owner and are not read here.
 */
export class AgentLogs {
  constructor(protected context: Pick<AgentsContext, 'runtimes' | 'clock'>) {}

  /**
   * Returns the last lines, oldest first; empty if the agent never ran.
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
 * The last log lines of a failing agent: the gateway's own log, without conversations and with its
 * token redacted. Failures still concern only the owner, so show it to no one else.
 */
export class CrashLog {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>,
    protected rows: Pick<AgentRepository, 'find'>
  ) {}

  /** Returns the lines, oldest first; empty if the agent is healthy or its runtime does not answer. */
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
