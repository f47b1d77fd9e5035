import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import SystemAgentsApply from '#commands/system_agents_apply'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import AuditEvent from '#models/audit_event'
import SystemContainer from '#models/system_container'
import type User from '#models/user'
import settings from '#settings/services/main'
import { runCommand } from '#tests/operator'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

const MAIN = { name: 'mosaic-system-main', role: 'operations', primaryModel: 'work/test-model' }
const RESEARCH = {
  name: 'mosaic-system-research',
  role: 'research',
  primaryModel: 'work/test-model',
}
const EXAMPLE = new URL('../../../examples/system_agents.json', import.meta.url)
const LIMITS = { memoryMb: 2048, cpus: 1 }

test.group('Command | system-agents:apply', (group) => {
  let folder: string
  let admin: User
  let memory: MemoryDriver

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('runtime.driver', 'memory')
    const runtimes = await app.container.make('runtime.manager')
    memory = (await runtimes.use('memory')) as MemoryDriver
    await memory.reset()
    ace.ui.switchMode('raw')
    folder = await mkdtemp(join(tmpdir(), 'declared-'))
    admin = await UserFactory.apply('admin').create()
    await LlmProviderFactory.merge({ userId: admin.id, name: 'work' }).create()
    return async () => {
      ace.ui.switchMode('normal')
      await memory.reset()
      await rm(folder, { recursive: true })
    }
  })

  async function apply(content: unknown, ...flags: string[]) {
    const file = join(folder, 'agents.json')
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
    const args = [file, `--as=${admin.email}`, '--json', ...flags]
    const { exitCode, out, err } = await runCommand(SystemAgentsApply, args)
    return { exitCode, err, ...(out && JSON.parse(out)) }
  }

  const starts = (name: string) => memory.counts(name).starts

  test('makes the agents true, and changes nothing when run again', async ({ assert }) => {
    const declared = { agents: [MAIN, { ...RESEARCH, limits: LIMITS, isActive: false }] }
    const first = await apply(declared)
    assert.containsSubset(first, { exitCode: 0, created: [MAIN.name, RESEARCH.name], failed: [] })
    const main = await SystemContainer.findByOrFail('name', MAIN.name)
    const research = await SystemContainer.findByOrFail('name', RESEARCH.name)
    assert.equal(main.status, 'running')
    assert.isFalse(research.isActive)
    assert.equal(research.desired, 'stopped')
    assert.deepEqual(research.limits, LIMITS)
    assert.equal(starts(RESEARCH.name), 0)

    const events = await AuditEvent.all()
    const again = await apply(declared)
    assert.deepInclude(again, { created: [], changed: [], unchanged: [MAIN.name, RESEARCH.name] })
    assert.equal(starts(MAIN.name), 1)
    assert.lengthOf(await AuditEvent.all(), events.length)
  })

  test('places an agent by labels of nodes, and moves it when they change', async ({ assert }) => {
    const nodes = memory.spread(
      [
        { name: 'one', labels: { disk: 'ssd', zone: 'a' } },
        { name: 'other', labels: { zone: 'b' } },
      ],
      { isShared: true }
    )
    const placed = (placement: unknown) => ({ agents: [{ ...MAIN, placement }] })
    assert.containsSubset(await apply(placed({ zone: 'b' })), { created: [MAIN.name], failed: [] })
    assert.equal(nodes.nodeOf(MAIN.name), 'other')
    assert.containsSubset(await apply(placed({ zone: 'b' })), { unchanged: [MAIN.name] })
    assert.containsSubset(await apply(placed({ disk: 'ssd', zone: 'a' })), { changed: [MAIN.name] })
    assert.equal(nodes.nodeOf(MAIN.name), 'one')
    assert.equal(starts(MAIN.name), 2)

    const nowhere = await apply(placed({ zone: 'c' }))
    assert.deepInclude(nowhere, { failed: [{ name: MAIN.name, reason: 'no_capacity' }] })
    assert.containsSubset(await apply(placed({})), { changed: [MAIN.name], failed: [] })
    const { placement } = await SystemContainer.findByOrFail('name', MAIN.name)
    assert.isNull(placement)
    assert.containsSubset(await apply({ agents: [MAIN] }), { unchanged: [MAIN.name] })
  })

  test('refuses labels that its runtime would ignore, or that no engine takes', async ({
    assert,
  }) => {
    const placed = (placement: unknown) => ({ agents: [{ ...MAIN, placement }] })
    const ignored = await apply(placed({ zone: 'a' }))
    assert.equal(ignored.exitCode, 1)
    assert.match(ignored.err, /^E_PLACEMENT_IGNORED: The runtime "memory" .+\n.+/)
    memory.spread([{ name: 'one' }])
    for (const wrong of [{ 'a b': 'c' }, { zone: 'a,b==c' }, { zone: 1 }, ['zone']]) {
      assert.equal((await apply(placed(wrong))).exitCode, 1, JSON.stringify(wrong))
    }
    assert.isNull(await SystemContainer.findBy('name', MAIN.name))
  })

  test('makes the fleet of the example true, and changes nothing when run again', async ({
    assert,
  }) => {
    const fleet = JSON.parse(await readFile(EXAMPLE, 'utf8'))
    const names = fleet.agents.map(({ name }: { name: string }) => name)
    const references: string[] = fleet.agents.map(
      ({ primaryModel }: { primaryModel: string }) => primaryModel
    )
    const [providers, models] = [0, 1].map((part) => [
      ...new Set(references.map((reference) => reference.split('/')[part])),
    ])
    assert.lengthOf(providers, 1)
    await LlmProviderFactory.merge({
      userId: admin.id,
      name: providers[0],
      models: models.map((id) => ({ id, name: id })),
    }).create()

    assert.containsSubset(await apply(fleet), { exitCode: 0, created: names, failed: [] })
    const rows = await SystemContainer.query().orderBy('name')
    const made = rows.map(({ name, role, limits, status, primaryModel }) => {
      return { name, role, limits, status, primaryModel }
    })
    const declared = fleet.agents.map((agent: object) => ({ ...agent, status: 'running' }))
    assert.sameDeepMembers(made, declared)

    const events = await AuditEvent.all()
    assert.containsSubset(await apply(fleet), { exitCode: 0, unchanged: names, changed: [] })
    for (const name of names) assert.equal(starts(name), 1)
    assert.lengthOf(await AuditEvent.all(), events.length)
  })

  test('restarts what changed, and brings back what a hand changed', async ({ assert }) => {
    await apply({ agents: [MAIN, RESEARCH] })
    const changed = await apply({ agents: [{ ...MAIN, limits: LIMITS }, RESEARCH] })
    assert.deepInclude(changed, { changed: [MAIN.name], unchanged: [RESEARCH.name] })
    assert.equal(starts(MAIN.name), 2)
    assert.equal(starts(RESEARCH.name), 1)

    const back = await apply({ agents: [MAIN, RESEARCH] })
    assert.deepInclude(back, { changed: [MAIN.name] })
    assert.isNull((await SystemContainer.findByOrFail('name', MAIN.name)).limits)
  })

  test('deletes what the file does not name only with --prune', async ({ assert }) => {
    await apply({ agents: [MAIN, RESEARCH] })
    assert.deepInclude(await apply({ agents: [MAIN] }), { deleted: [] })
    assert.deepInclude(await apply({ agents: [MAIN] }, '--prune', '--dry-run'), {
      deleted: [RESEARCH.name],
      dryRun: true,
    })
    assert.isNotNull(await SystemContainer.findBy('name', RESEARCH.name))
    await apply({ agents: [MAIN] }, '--prune')
    assert.isNull(await SystemContainer.findBy('name', RESEARCH.name))
  })

  test('changes nothing where the file or one of its models is wrong', async ({ assert }) => {
    const wrong = [
      { file: '{ no JSON', says: 'E_DECLARED_AGENTS_FILE' },
      { file: { agents: [{ ...MAIN, name: 'Not A Name' }] }, says: 'name' },
      { file: { agents: [MAIN, MAIN] }, says: 'agents' },
      {
        file: { agents: [MAIN, { ...RESEARCH, primaryModel: 'work/none' }] },
        says: 'E_UNKNOWN_MODEL',
      },
    ]
    for (const { file, says } of wrong) {
      const { exitCode, err } = await apply(file)
      assert.equal(exitCode, 1, says)
      assert.include(err, says)
    }
    assert.lengthOf(await SystemContainer.all(), 0)
  })

  test('says which agent did not start, and applies the others', async ({ assert }) => {
    memory.behave(MAIN.name, { refuse: 'image_missing' })
    const { exitCode, failed, created } = await apply({ agents: [MAIN, RESEARCH] })
    assert.equal(exitCode, 1)
    assert.deepEqual(failed, [{ name: MAIN.name, reason: 'image_missing' }])
    assert.deepEqual(created, [MAIN.name, RESEARCH.name])
    assert.equal(starts(RESEARCH.name), 1)
  })

  test('acts for admins alone', async ({ assert }) => {
    admin = await UserFactory.create()
    assert.include((await apply({ agents: [MAIN] })).err, 'E_NOT_ADMIN')
  })
})
