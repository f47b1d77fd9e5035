import { DatabaseSync } from 'node:sqlite'
import { requestGateway } from '#runtimes/gateway_connections'
import { GatewayControl } from '#openclaw/gateway_control'
import type { ControlledGateway } from '#openclaw/gateway_rpc'
import { ActingModel } from '#tests/e2e/acting_model'
import type { Api } from '#tests/e2e/api'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'

const ASK_EVERY_MS = 500
/** A sweep is a process that boots: an agent at work gets some time to finish before the next. */
const SWEEP_EVERY_MS = 2000

/** Where a busy agent runs. */
export interface WorkingHome {
  /** Additional variables for Mosaic. */
  env: Record<string, string>
  /** Settings made before Mosaic starts. */
  settings: Record<string, unknown>
  /** Returns the agent's processes that run this command, by the id that `kill` takes. */
  running(mosaic: MosaicProcess, command: string): Promise<string[]>
  kill(process: string): Promise<void>
  /** The token of the only agent, whose instance has this name. */
  token(mosaic: MosaicProcess, name: string): Promise<string>
  /** Lets this process reach gateways as Mosaic does, if plain TCP does not. */
  reach?(mosaic: MosaicProcess, name: string): void
  /** Suspends the instance of this name as its driver does. */
  suspend(mosaic: MosaicProcess, name: string): Promise<void>
  /** Kills the engine and starts it again. Undefined if there is none, or it is not the tests' own. */
  restartEngine?(): Promise<void>
  /** Removes what remains of the agent, after Mosaic has ended. */
  close(): Promise<void>
}

/** What these tests read of the agent's row. */
interface WorkingRow {
  status: string
  endpoint: string
  container_name: string
  user_id: string
  started_at: string
  next_job_at: string | null
}

interface Reaped {
  candidates: number
  working: number
  suspended: number
}

/** One Mosaic with one agent, the model that it calls, and what tests do with them. */
export class WorkStage {
  readonly model = new ActingModel()
  readonly mosaic = new MosaicProcess()
  readonly #home: WorkingHome
  #api: Api | null = null

  constructor(home: WorkingHome) {
    this.#home = home
  }

  get api(): Api {
    return this.#api!
  }

  /** Its agent rests when it is idle, and only when told to: the tests are shorter than any limit. */
  async open(): Promise<void> {
    await this.model.start()
    await this.mosaic.prepare(this.#home.env)
    const { MODEL } = ActingModel
    const provider = { type: 'custom', baseUrl: this.model.url, apiKey: 'any', model: MODEL }
    const settings = { 'agents.wakeAheadSec': 30, 'agents.rest': 'on' }
    this.#api = await setUp(this.mosaic, provider, settings, this.#home.settings)
    await this.api.ask('PUT', '/api/v1/agent-config', { profile: 'full' })
  }

  async close(): Promise<void> {
    await this.mosaic.end()
    await this.#home.close()
    await this.model.stop()
  }

  row(): WorkingRow {
    const database = new DatabaseSync(this.mosaic.databaseFile, { readOnly: true })
    const found = database.prepare('select * from user_containers').get()
    database.close()
    return found as unknown as WorkingRow
  }

  async status(): Promise<string> {
    return (await this.api.ask<{ status: string }>('GET', '/api/v1/agent')).status
  }

  async until(holds: () => unknown | Promise<unknown>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }

  /** Sweeps idle agents, after the owner was away for longer than the idle timeout. */
  reap(): Promise<Reaped> {
    this.#leaveAlone()
    return this.mosaic.aceJson<Reaped>('reap:idle')
  }

  /** Lets the agent rest, as soon as its gateway has no work left. */
  async rest(): Promise<void> {
    while ((await this.status()) !== 'resting') {
      const { suspended } = await this.reap()
      if (suspended === 0) await new Promise((resolve) => setTimeout(resolve, SWEEP_EVERY_MS))
    }
  }

  /** Kills Mosaic; `meanwhile` happens before the next one starts. */
  async killMosaic(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    this.mosaic.signal('SIGKILL')
    await this.mosaic.stop()
    await meanwhile()
    await this.mosaic.start()
  }

  /** The agent's gateway, as Mosaic calls it. */
  async gateway(): Promise<ControlledGateway> {
    const { endpoint: url, container_name: name } = this.row()
    this.#home.reach?.(this.mosaic, name)
    return { url, token: await this.#home.token(this.mosaic, name) }
  }

  /** Adds a reminder to the agent's own schedule, as its tool does. */
  async remind(name: string, at: number): Promise<void> {
    const gateway = await this.gateway()
    const response = await requestGateway(`${gateway.url}/api/v1/admin/rpc`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        method: 'cron.add',
        params: {
          name,
          schedule: { kind: 'at', at: new Date(at).toISOString() },
          sessionTarget: 'isolated',
          wakeMode: 'now',
          payload: { kind: 'agentTurn', message: `Remind me of the ${name}.` },
          delivery: { mode: 'none' },
        },
      }),
    })
    const answer = await response.body.text()
    if (response.statusCode !== 200) throw new Error(answer)
    const next = await new GatewayControl().nextJobAt(gateway)
    if (next === null) throw new Error('The reminder is not in the schedule.')
  }

  /** Resolves once the agent was reminded. */
  async reminded(name: string): Promise<void> {
    await this.until(() =>
      this.model.asked.some((text) => text.includes(`Remind me of the ${name}`))
    )
  }

  /**
   * Backdates the owner's last activity to 45 minutes: past the limit of 30 minutes, but within the extra
   * time of an agent that does not respond. Overwrites what Mosaic wrote meanwhile.
   */
  #leaveAlone(): void {
    const database = new DatabaseSync(this.mosaic.databaseFile)
    database.exec(
      `pragma busy_timeout = 5000;
      update user_containers set last_active_at = datetime('now', '-45 minutes')`
    )
    database.close()
  }
}
