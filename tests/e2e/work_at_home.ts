import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { test } from '@japa/runner'
import { requestGateway } from '#runtimes/gateway_connections'
import { GatewayControl } from '#openclaw/gateway_control'
import { ActingModel } from '#tests/e2e/acting_model'
import { textOf, type Api } from '#tests/e2e/api'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'

/** A wake of the real OpenClaw on a busy machine, plus the two minutes by which it defers a late job. */
const TIMEOUT_MS = 400_000
const ASK_EVERY_MS = 500
/** An agent's shell that outlives any test, identified by its number. */
const SHELL = 'sleep 91733'

interface Reaped {
  working: number
}

/** Where a busy agent runs. */
export interface WorkingHome {
  /** Additional variables for Mosaic. */
  env: Record<string, string>
  /** Settings made before the first wake. */
  settings: Record<string, unknown>
  /** Returns the agent's processes that run this command, by the id that `kill` takes. */
  running(mosaic: MosaicProcess, command: string): Promise<string[]>
  kill(process: string): Promise<void>
  /** The token of the only agent, whose instance has this name. */
  token(mosaic: MosaicProcess, name: string): Promise<string>
  /** Lets this process reach gateways as Mosaic does, if plain TCP does not. */
  reach?(mosaic: MosaicProcess, name: string): void
  /** Removes what remains of the agent, after Mosaic has ended. */
  close(): Promise<void>
}

/** Guarantees for an agent with background work, wherever it runs. */
export function workAtHome(title: string, home: WorkingHome): void {
  test.group(title, (group) => {
    let mosaic: MosaicProcess
    let model: ActingModel
    let api: Api

    group.setup(async () => {
      model = await new ActingModel().start()
      mosaic = new MosaicProcess()
      await mosaic.prepare(home.env)
      const { MODEL } = ActingModel
      const provider = { type: 'custom', baseUrl: model.url, apiKey: 'any', model: MODEL }
      api = await setUp(mosaic, provider, { 'agents.wakeAheadSec': 30, ...home.settings })
      await api.ask('PUT', '/api/v1/agent-config', { profile: 'full' })
      return async () => {
        await mosaic.end()
        await home.close()
        await model.stop()
      }
    })
    group.each.timeout(TIMEOUT_MS)

    const row = () => {
      const database = new DatabaseSync(mosaic.databaseFile, { readOnly: true })
      const found = database.prepare('select * from user_containers').get()
      database.close()
      return found as Record<
        'status' | 'endpoint' | 'container_name' | 'started_at' | 'user_id',
        string
      > & {
        next_job_at: string | null
      }
    }

    /**
     * Backdates the owner's last activity to 45 minutes: past the limit of 30 minutes, but within the extra
     * time of an agent that does not respond. Overwrites what Mosaic wrote meanwhile.
     */
    const leaveAlone = () => {
      const database = new DatabaseSync(mosaic.databaseFile)
      database.exec(
        `pragma busy_timeout = 5000;
        update user_containers set last_active_at = datetime('now', '-45 minutes')`
      )
      database.close()
    }

    const until = async (holds: () => unknown | Promise<unknown>) => {
      while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    const shells = () => home.running(mosaic, SHELL)
    const reap = () => {
      leaveAlone()
      return mosaic.aceJson<Reaped>('reap:idle')
    }
    /** The web process may have reaped it already. */
    const sleepsWhenReaped = async () => {
      await reap()
      return (await status()) === 'stopped'
    }
    const status = async () => (await api.ask<{ status: string }>('GET', '/api/v1/agent')).status

    test('answers after the next wake what was said while it stopped', async ({ assert }) => {
      await api.chat('Good morning')
      model.hold()
      const before = model.asked.length
      const first = api.chat('Tell me of parrots', 'parrots')
      await until(() => model.asked.length > before)
      await api.ask('POST', '/api/v1/agent/stop')
      assert.equal(await status(), 'stopping')
      const second = api.chat('Tell me of owls', 'owls')
      model.release()

      assert.equal(textOf(await first), 'Done.')
      const events = await second
      assert.equal(textOf(events), 'Done.')
      assert.isTrue(events.some(({ event }) => event === 'progress'))
      assert.lengthOf(
        model.asked.filter((text) => text.includes('of owls')),
        1
      )
    })

    test('tells its provider neither the machine’s name, nor its own, nor where its data is', async ({
      assert,
    }) => {
      await api.ask('POST', '/api/v1/agent/start')
      await until(async () => (await status()) === 'running')
      await api.chat('Where are you?')
      const { container_name: name, user_id: user } = row()
      const sent = model.received.join('\n')
      assert.include(sent, 'workspace')
      for (const own of [mosaic.folder, name]) assert.notInclude(sent, own)
      for (const word of [hostname(), user]) {
        assert.notMatch(sent, new RegExp(`\\b${RegExp.escape(word)}\\b`))
      }
    })

    test('is woken ahead of its reminder, and the reminder has run', async ({ assert }) => {
      await api.chat('Good evening')
      const due = Date.now() + 45_000
      const { endpoint: url, container_name: name, started_at: before } = row()
      home.reach?.(mosaic, name)
      await remind({ url, token: await home.token(mosaic, name) }, due)
      await api.ask('POST', '/api/v1/agent/stop')
      await until(() => row().next_job_at)
      assert.closeTo(Date.parse(`${row().next_job_at}Z`), due, 1500)

      await until(() => model.asked.some((text) => text.includes('Remind me of the kettle')))
      assert.equal(row().status, 'running')
      assert.notEqual(row().started_at, before)
    })

    test('is not stopped while a shell of it runs in the background', async ({ assert }) => {
      await api.chat(`Please run: ${SHELL}`)
      await until(async () => (await shells()).length > 0)
      await until(async () => (await reap()).working === 1)
      assert.equal(await status(), 'running')
      assert.lengthOf(await shells(), 1)

      for (const shell of await shells()) await home.kill(shell)
      await until(sleepsWhenReaped)
    })
  })
}

/** Adds a reminder to the agent's own schedule, as its tool does. */
async function remind(gateway: { url: string; token: string }, at: number): Promise<void> {
  const response = await requestGateway(`${gateway.url}/api/v1/admin/rpc`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${gateway.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      method: 'cron.add',
      params: {
        name: 'kettle',
        schedule: { kind: 'at', at: new Date(at).toISOString() },
        sessionTarget: 'isolated',
        wakeMode: 'now',
        payload: { kind: 'agentTurn', message: 'Remind me of the kettle.' },
        delivery: { mode: 'none' },
      },
    }),
  })
  const answer = await response.body.text()
  if (response.statusCode !== 200) throw new Error(answer)
  const next = await new GatewayControl().nextJobAt(gateway)
  if (next === null) throw new Error('The reminder is not in the schedule.')
}
