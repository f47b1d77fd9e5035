import { constants } from 'node:fs'
import { access, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '#drivers/contract_error'
import { Secret } from '@adonisjs/core/helpers'
import type { AgentsContext } from '#agents/context'
import { readCopy, writeCopy } from '#agents/fleet/copy_file'
import { strandedIn } from '#agents/instances/data_migration'
import { buildSpec, limitsOf, placementOf } from '#agents/instances/start_plan'
import type { AgentServices } from '#agents/services'
import { agentOf, instanceName, instanceRef, isKeptUp, isUp } from '#agents/state/agent_repository'
import type { IdleStopOutcome } from '#agents/stopping/idle_stopper'
import type { AgentKey, AgentRow } from '#agents/types'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import type { RuntimeDriver } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'
import { within } from '#timing/deadline'
import { inParallel } from '#timing/in_parallel'

const SUFFIX = '.tar.gz'
/** Each copy compresses on one processor and reads one disk. */
const CONCURRENCY = 4
/** How long an agent at work is waited for. */
const BUSY_MS = 60_000
const RETRY_MS = 5000
/** Enough for the most that may move, on a slow disk. */
const COPY_MS = 60 * 60_000

/** What became of agents' data. Instances are named as their files. */
export interface CopyReport {
  /** Agents whose data was copied or restored. */
  done: number
  /** Agents without data, or without a file. */
  without: number
  failed: CopyFailure[]
}

export interface CopyFailure {
  name: string
  message: string
  hint: string | null
}

/** The folder of a backup is missing, holds no copies, or cannot be read or written. */
export class E_BACKUP_FOLDER extends CodedError {
  static override status = 422

  constructor(folder: string, why: string, help: string) {
    super(`${folder} ${why}.`)
    this.help = help
  }
}

export type CopyParts = Pick<AgentServices, 'rows' | 'leases' | 'idleStopper' | 'instanceStopper'>

/**
 * Backs up and restores all agents' data in a folder, with any runtime: one file per agent. An agent is asleep while
 * its data is copied, and cannot be woken until the copy ends.
 */
export class DataCopies {
  readonly #context: AgentsContext
  readonly #parts: CopyParts

  constructor(context: AgentsContext, parts: CopyParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Copies the data of every agent, over former files. Puts agents to sleep once they are idle; those that always run
   * start again afterwards.
   *
   * @throws E_BACKUP_FOLDER
   */
  async backUp(folder: string): Promise<CopyReport> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await access(folder, constants.W_OK)
    } catch {
      throw new E_BACKUP_FOLDER(
        folder,
        'cannot be written',
        'Name a folder that Mosaic may write to.'
      )
    }
    return this.#each(await this.#rows(), async (row, agent) => {
      if (!row.runtime) return false
      return this.#backUp(agent, join(folder, instanceName(row) + SUFFIX))
    })
  }

  /**
   * Stops every agent that has a file in the folder, and replaces its data with the file's. The replaced data is kept
   * until the agent has started successfully.
   *
   * @throws E_BACKUP_FOLDER
   */
  async restore(folder: string): Promise<CopyReport> {
    const entries = await readdir(folder).catch(() => {
      throw new E_BACKUP_FOLDER(
        folder,
        'cannot be read',
        'Name the folder that fleet:backup wrote.'
      )
    })
    const files = new Set(entries.filter((entry) => entry.endsWith(SUFFIX)))
    if (files.size === 0) {
      throw new E_BACKUP_FOLDER(
        folder,
        'holds no copies',
        'Name the folder that fleet:backup wrote.'
      )
    }
    const report = await this.#each(await this.#rows(), async (row, agent) => {
      const file = instanceName(row) + SUFFIX
      if (!files.delete(file)) return false
      await this.#parts.leases.hold(agent, ({ signal }) =>
        this.#restore(agent, join(folder, file), signal)
      )
      return true
    })
    const message = 'The database has no agent of this name.'
    const hint = 'Restore the database of the same backup first, or remove the file.'
    const unknown = [...files].map((file) => ({
      name: file.slice(0, -SUFFIX.length),
      message,
      hint,
    }))
    return { ...report, failed: [...report.failed, ...unknown] }
  }

  async #rows(): Promise<AgentRow[]> {
    return [...(await UserContainer.all()), ...(await SystemContainer.all())]
  }

  async #each(
    rows: AgentRow[],
    work: (row: AgentRow, agent: AgentKey) => Promise<boolean>
  ): Promise<CopyReport> {
    const report: CopyReport = { done: 0, without: 0, failed: [] }
    await inParallel(rows, CONCURRENCY, async (row) => {
      try {
        report[(await work(row, agentOf(row))) ? 'done' : 'without']++
      } catch (error) {
        this.#context.logger.debug({ err: error, agent: agentOf(row) }, 'Could not copy data')
        const { message, help = null } = error as Error & { help?: string }
        report.failed.push({ name: instanceName(row), message, hint: help })
      }
    })
    return report
  }

  /** Returns whether there was any data. */
  async #backUp(agent: AgentKey, path: string): Promise<boolean> {
    const { clock, settings } = this.#context
    const { leases, idleStopper } = this.#parts
    const deadline = clock.elapsed() + BUSY_MS
    for (;;) {
      const copied = await leases.hold(agent, ({ signal }) => this.#copyAsleep(agent, path, signal))
      if (copied !== 'awake') return copied
      const policy = await settings.get('agents.wakePolicy')
      const outcome = await idleStopper.stop(agent, (row) => {
        if (row.status !== 'running' && row.status !== 'suspended') return null
        /** Noted with the stop: whatever becomes of the copy, an agent that always runs starts again. */
        const desired = isKeptUp(row, policy) ? row.desired : 'stopped'
        return { kind: 'stop', despite: ['due'], desired }
      })
      if (outcome === 'stopped') continue
      if (clock.elapsed() >= deadline) throw busy(outcome)
      await clock.wait(RETRY_MS)
    }
  }

  async #copyAsleep(
    agent: AgentKey,
    path: string,
    signal: AbortSignal
  ): Promise<boolean | 'awake'> {
    const { clock, settings } = this.#context
    const { rows, instanceStopper } = this.#parts
    const row = await rows.find(agent)
    if (!row?.runtime) return false
    if (isUp(row)) return 'awake'
    const driver = await this.#driver(row.runtime)
    if (!driver.exportData) throw unable(driver)
    await instanceStopper.endInstance(row)
    const maxMb = await settings.get('runtime.moveMb')
    return within(clock, COPY_MS, signal, async (inner) => {
      const data = await driver.exportData!(instanceRef(row), { signal: inner })
      if (data) await writeCopy(path, data, { signal: inner, maxMb })
      return data !== null
    })
  }

  async #restore(agent: AgentKey, path: string, signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#context
    const { rows, leases, instanceStopper } = this.#parts
    const row = await rows.find(agent)
    if (!row) return
    const driver = await this.#driver(row.runtime ?? (await settings.get('runtime.driver')))
    if (!driver.importData) throw unable(driver)
    await instanceStopper.endInstance(row)
    const spec = await this.#spec(row, driver)
    const maxMb = await settings.get('runtime.moveMb')
    await leases.confirm(agent, row)
    const state = await within(clock, COPY_MS, signal, (inner) =>
      readCopy(path, { signal: inner, maxMb }, (data) =>
        driver.importData!(spec, data, { signal: inner })
      )
    )
    await row.dropGatewayToken()
    await rows.save(row, {
      status: 'stopped',
      statusReason: null,
      runtime: driver.name,
      runtimeState: state ?? null,
      containerId: null,
      endpoint: null,
      startedAt: null,
      failureCount: 0,
      retryAt: null,
    })
  }

  async #driver(name: string): Promise<RuntimeDriver> {
    const { runtimes } = this.#context
    if (!runtimes.names().includes(name)) throw strandedIn(name)
    return runtimes.use(name)
  }

  /** Nothing starts with it, so it needs neither token nor address. */
  async #spec(row: AgentRow, driver: RuntimeDriver) {
    const { settings, runtimes } = this.#context
    return buildSpec({
      row,
      installation: await runtimes.installation(),
      apiUrl: 'http://mosaic.invalid',
      token: new Secret('none'),
      image: await settings.get('runtime.image'),
      limits: await limitsOf(this.#context, row),
      ...placementOf(driver, row),
    })
  }
}

function busy(outcome: IdleStopOutcome): RuntimeError {
  const message = `The agent did not go to sleep: ${outcome}.`
  const help =
    'Run the command again once the agent is idle, where Mosaic runs; or stop the agent with agent:stop first.'
  return new RuntimeError('internal', message, { help })
}

function unable({ name }: RuntimeDriver): RuntimeError {
  const help = 'Copy its data as the documentation of its plugin tells.'
  return new RuntimeError('data_stranded', `The runtime "${name}" cannot copy data.`, { help })
}
