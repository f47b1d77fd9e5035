import type { AgentsContext } from '#agents/context'

/** A recurring task. Its result goes to the log as statistics. */
export interface ScheduledTask {
  name: string
  everyMs: number
  /** `first` is true for the run at startup; a task without `atStart` waits for its first interval. */
  run(first: boolean): Promise<object>
  atStart?: boolean
}

/**
 * Runs tasks in the background, never two runs of a task at once. Its timers do not keep the process
 * alive.
 */
export class Scheduler {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger'>
  readonly #tasks: ScheduledTask[]
  readonly #timers = new Map<ScheduledTask, () => void>()
  readonly #running = new Set<Promise<void>>()
  #ended = false

  constructor(context: Pick<AgentsContext, 'clock' | 'logger'>, tasks: ScheduledTask[]) {
    this.#context = context
    this.#tasks = tasks
  }

  start(): void {
    for (const task of this.#tasks) {
      if (task.atStart) this.#run(task, true)
      else this.#plan(task)
    }
  }

  /** Starts no further runs. Resolves when the current runs have ended. */
  async stop(): Promise<void> {
    this.#ended = true
    for (const cancelTimer of this.#timers.values()) cancelTimer()
    await Promise.all(this.#running)
  }

  /** The interval counts from the end of the previous run, so slow tasks do not pile up. */
  #plan(task: ScheduledTask): void {
    if (this.#ended) return
    const cancelTimer = this.#context.clock.after(task.everyMs, () => this.#run(task, false), {
      background: true,
    })
    this.#timers.set(task, cancelTimer)
  }

  #run(task: ScheduledTask, first: boolean): void {
    const run = this.#once(task, first).finally(() => {
      this.#running.delete(run)
      this.#plan(task)
    })
    this.#running.add(run)
  }

  async #once(task: ScheduledTask, first: boolean): Promise<void> {
    const { logger } = this.#context
    try {
      logger.debug(await task.run(first), `${task.name} is done`)
    } catch (error) {
      logger.error({ err: error }, `${task.name} failed`)
    }
  }
}
