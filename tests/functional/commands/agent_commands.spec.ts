import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { DateTime } from 'luxon'
import AgentRestart from '#commands/agent_restart'
import AgentStart from '#commands/agent_start'
import AgentStop from '#commands/agent_stop'
import FleetBackup from '#commands/fleet_backup'
import FleetHealth from '#commands/fleet_health'
import FleetReconcile from '#commands/fleet_reconcile'
import FleetRestore from '#commands/fleet_restore'
import FleetSleep from '#commands/fleet_sleep'
import ReapIdle from '#commands/reap_idle'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import BreakglassUser from '#models/breakglass_user'
import UserContainer from '#models/user_container'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import settings from '#settings/services/main'
import { runCommand } from '#tests/operator'

test.group('Commands about agents', (group) => {
  let memory: MemoryDriver

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('runtime.driver', 'memory')
    const runtimes = await app.container.make('runtime.manager')
    memory = (await runtimes.use('memory')) as MemoryDriver
    await memory.reset()
    ace.ui.switchMode('raw')
    return async () => {
      ace.ui.switchMode('normal')
      await memory.reset()
    }
  })

  const owner = async () => {
    const user = await UserFactory.create()
    await LlmProviderFactory.merge({ userId: user.id }).create()
    return { user, agent: `user/${user.id}`, name: `mosaic-user-${user.id}` }
  }

  const json = async (Target: Parameters<typeof ace.create>[0], args: string[] = []) => {
    const { exitCode, out, err } = await runCommand(Target, [...args, '--json'])
    return { exitCode, err, ...JSON.parse(out) }
  }

  test('start, restart and stop the agent of a user, named by email address', async ({
    assert,
  }) => {
    const { user, agent, name } = await owner()
    assert.deepEqual(await json(AgentStart, [user.email!]), {
      exitCode: 0,
      err: '',
      agent,
      status: 'running',
      runtime: 'memory',
    })
    assert.equal(memory.counts(name).alive, 1)

    assert.include(await json(AgentRestart, [user.email!]), { exitCode: 0, status: 'running' })
    assert.equal(memory.counts(name).starts, 2)

    assert.include(await json(AgentStop, [user.email!]), { exitCode: 0, status: 'stopped' })
    assert.equal(memory.counts(name).alive, 0)
  })

  test('a user may be named by breakglass username, and is answered in a sentence', async ({
    assert,
  }) => {
    const { user } = await owner()
    const common = { passwordHash: '$2b$10$none', isActive: true }
    await BreakglassUser.create({ ...common, username: 'root', userId: user.id })
    const { exitCode, out } = await runCommand(AgentStart, ['root'])
    assert.equal(exitCode, 0)
    assert.equal(out, 'The agent of root is running.')
  })

  test('puts every agent to sleep that is awake, however lately it was used', async ({
    assert,
  }) => {
    const [one, other] = [await owner(), await owner()]
    await json(AgentStart, [one.user.email!])
    await json(AgentStart, [other.user.email!])

    const awake = await json(FleetSleep)
    assert.include(awake, { exitCode: 0, candidates: 2, stopped: 2, failed: 0 })
    assert.equal(memory.counts(one.name).alive + memory.counts(other.name).alive, 0)
    assert.include(await json(FleetSleep), { exitCode: 0, candidates: 0, stopped: 0 })
  })

  test('tells of an agent that it did not put to sleep, as it is starting', async ({
    assert,
    cleanup,
  }) => {
    const { timeouts } = await app.container.make('agents.context')
    const { leaseMs } = timeouts
    timeouts.leaseMs = 10
    cleanup(() => void (timeouts.leaseMs = leaseMs))
    const { user } = await owner()
    await json(AgentStart, [user.email!])
    await UserContainer.ownedBy(user.id).update({ status: 'starting' })
    assert.include(await json(FleetSleep), { exitCode: 1, candidates: 1, stopped: 0, skipped: 1 })
  })

  test('tries an agent again that a replica which was killed still holds', async ({
    assert,
    cleanup,
  }) => {
    const reaper = await app.container.make('agents.reaper')
    const { user, name } = await owner()
    await json(AgentStart, [user.email!])
    const reapAll = reaper.reapAll.bind(reaper)
    let isHeld = true
    reaper.reapAll = async () => {
      if (!isHeld) return reapAll()
      isHeld = false
      const counts = { candidates: 1, stopped: 0, suspended: 0, working: 0, skipped: 1, failed: 0 }
      return { ...counts, durationMs: 1 }
    }
    cleanup(() => void (reaper.reapAll = reapAll))
    assert.include(await json(FleetSleep), { exitCode: 0, candidates: 1, stopped: 1, skipped: 0 })
    assert.equal(memory.counts(name).alive, 0)
  })

  test('copies the data of agents and brings it back, with status 1 where that failed', async ({
    assert,
    cleanup,
  }) => {
    const { user, name } = await owner()
    await json(AgentStart, [user.email!])
    const folder = join(mkdtempSync(join(tmpdir(), 'mosaic-copies-')), 'agents')
    cleanup(() => rmSync(join(folder, '..'), { recursive: true }))
    assert.deepInclude(await json(FleetBackup, [folder]), { exitCode: 0, done: 1, failed: [] })
    assert.equal(memory.counts(name).alive, 0)
    assert.deepInclude(await json(FleetRestore, [folder]), { exitCode: 0, done: 1, failed: [] })

    writeFileSync(join(folder, `${name}.tar.gz`), 'no archive')
    const { exitCode, out } = await runCommand(FleetRestore, [folder])
    assert.equal(exitCode, 1)
    assert.match(out, new RegExp(`^0 restored, 0 without a copy, 1 failed\\.\n${name}: .+`))
  })

  test('an agent that does not start is told on standard error, with status 1', async ({
    assert,
  }) => {
    const user = await UserFactory.create()
    const failed = await runCommand(AgentStart, [user.email!, '--json'])
    assert.equal(failed.exitCode, 1)
    assert.equal(failed.out, '')
    assert.match(failed.err, /^E_AGENT_NO_PROVIDER: .+\.\n.+\.$/)

    const unknown = await runCommand(AgentStop, ['nobody@example.test'])
    assert.equal(unknown.exitCode, 1)
    assert.match(unknown.err, /^E_UNKNOWN_USER/)
  })

  test('reap:idle prints its statistics', async ({ assert }) => {
    const { user, name } = await owner()
    await json(AgentStart, [user.email!])
    const activity = await app.container.make('agents.activity')
    assert.equal(activity.inFlight(`user/${user.id}`), 0)
    const row = await UserContainer.findByOrFail('user_id', user.id)
    await row.merge({ lastActiveAt: DateTime.now().minus({ minutes: 31 }) }).save()

    const { durationMs, ...counts } = await json(ReapIdle)
    assert.deepEqual(counts, {
      exitCode: 0,
      err: '',
      candidates: 1,
      stopped: 1,
      suspended: 0,
      working: 0,
      skipped: 0,
      failed: 0,
    })
    assert.equal(memory.counts(name).alive, 0)
    assert.equal(
      (await runCommand(ReapIdle, [])).out,
      '0 idle: 0 stopped, 0 suspended, 0 at work, 0 skipped, 0 failed.'
    )
  })

  test('fleet:health prints how many are well', async ({ assert }) => {
    const one = await owner()
    const two = await owner()
    for (const { user } of [one, two]) await json(AgentStart, [user.email!])
    await memory.crash(two.name)
    assert.include(await json(FleetHealth), { exitCode: 0, checked: 2, healthy: 1, crashed: 1 })
  })

  test('fleet:reconcile says what it would do, then does it', async ({ assert }) => {
    const { user, agent, name } = await owner()
    await json(AgentStart, [user.email!])
    await UserContainer.query().where('user_id', user.id).update({ desired: 'stopped' })

    const dry = await json(FleetReconcile, ['--dry-run'])
    assert.isTrue(dry.dryRun)
    assert.deepEqual(dry.actions, [{ action: 'stop', agent, name }])
    assert.equal(memory.counts(name).alive, 1)

    assert.include(await json(FleetReconcile), { exitCode: 0, stopped: 1, failed: 0 })
    assert.equal(memory.counts(name).alive, 0)
  })
})
