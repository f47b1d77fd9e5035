import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import { SystemAgents, type AgentControls } from '#agents/system_agents/system_agents'
import AuditEvent from '#models/audit_event'
import SystemContainer from '#models/system_container'
import { ownModel } from '#user_settings/own_models'
import settings from '#settings/services/main'
import { adminSession } from '#tests/admin_session'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

test.group('The administration', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('lists settings with where each value comes from, and no secret', async ({ assert }) => {
    const { visitor } = await adminSession()
    const changed = await visitor.patch('/api/v1/admin/settings', {
      'agents.idleTimeoutMin': 15,
      'oidc.clientSecret': 'canary-client-secret',
    })
    assert.equal(changed.status, 200, JSON.stringify(changed.body))
    assert.notInclude(JSON.stringify(changed.body), 'canary')

    const { body } = await visitor.get('/api/v1/admin/settings')
    const setting = (key: string) => body.data.find((entry: { key: string }) => entry.key === key)
    assert.containsSubset(setting('agents.idleTimeoutMin'), { value: 15, source: 'database' })
    assert.containsSubset(setting('oidc.clientSecret'), { value: null, secret: true, set: true })
    assert.containsSubset(setting('runtime.cpus'), { source: 'default' })
    assert.deepEqual(body.meta, {
      total: body.data.length,
      page: 1,
      limit: 100,
      totalPages: 1,
    })
    const { data, meta } = (await visitor.get('/api/v1/admin/settings?limit=5&page=99')).body
    assert.deepEqual([data, meta.total], [[], body.data.length])
    assert.isUndefined(setting('vault.sentinel'))
    assert.isUndefined(setting('onboarding.completed'))
    assert.notInclude(JSON.stringify(body), 'canary')
  })

  test('refuses settings that are none, or would not work, and changes nothing', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    const wrong: [Record<string, unknown>, string][] = [
      [{ 'no.such': 1 }, 'E_UNKNOWN_SETTING'],
      [{ 'onboarding.completed': false }, 'E_UNKNOWN_SETTING'],
      [{ 'agents.idleTimeoutMin': 'soon' }, 'E_VALIDATION_ERROR'],
      [{ 'runtime.driver': 'no-such-driver' }, 'E_UNKNOWN_RUNTIME'],
      [{ 'network.allowedRanges': ['everything'] }, 'E_VALIDATION_ERROR'],
      [{ 'docker.range': 'fd00::/8' }, 'E_VALIDATION_ERROR'],
      [{ 'docker.range': '10.0.0.0/30' }, 'E_VALIDATION_ERROR'],
    ]
    for (const [values, code] of wrong) {
      const sent = { 'agents.startConcurrency': 7, ...values }
      const { status, body } = await visitor.patch('/api/v1/admin/settings', sent)
      assert.equal(status, 422, JSON.stringify(values))
      assert.equal(body.errors[0].code, code)
    }
    assert.notEqual(await settings.get('agents.startConcurrency'), 7)
    const unknown = await visitor.patch('/api/v1/admin/settings', { 'no.such': 1 })
    assert.containsSubset(unknown.body.errors[0], { code: 'E_UNKNOWN_SETTING', field: 'no.such' })
    for (const sent of [[], { key: 'agents.startConcurrency', value: 7 }]) {
      const { status, body } = await visitor.patch('/api/v1/admin/settings', sent)
      assert.equal(status, 422)
      assert.equal(body.errors[0].code, 'E_SETTINGS_SHAPE')
    }
  })

  for (const [key, value] of [
    ['docker.host', 'tcp://attacker.test:2375'],
    ['runtime.image', "attacker/image'; true"],
  ] as const) {
    test(`leaves ${key} to the operator, and tells the command`, async ({ assert }) => {
      const { visitor } = await adminSession()
      const sent = { 'agents.startConcurrency': 7, [key]: value }
      const { status, body } = await visitor.patch('/api/v1/admin/settings', sent)
      assert.equal(status, 403)
      assert.containsSubset(body.errors[0], { code: 'E_OPERATOR_SETTING', field: key })
      const quoted = value.replace("'", `'\\''`)
      assert.include(body.errors[0].hint, `node ace settings:set ${key} '${quoted}'`)
      assert.isNull(await settings.get(key))
      assert.notEqual(await settings.get('agents.startConcurrency'), 7)

      await settings.set(key, value)
      const { data } = (await visitor.get('/api/v1/admin/settings')).body
      const listed = data.find((setting: { key: string }) => setting.key === key)
      assert.containsSubset(listed, { value, changedBy: 'operator' })
    })
  }

  test('wrong values of settings are told all at once, each with what is right', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    const { status, body } = await visitor.patch('/api/v1/admin/settings', {
      'mail.host': 'not a host',
      'mail.port': 99_999,
      'mail.from': 'nobody',
    })
    assert.equal(status, 422)
    assert.deepEqual(
      body.errors.map(({ field, message }: { field: string; message: string }) => [field, message]),
      [
        ['mail.host', 'Enter the name or the address of a server, as mail.example.org.'],
        ['mail.port', 'Enter 65535 or less.'],
        ['mail.from', 'Enter an email address.'],
      ]
    )
  })

  test('lists users by page, without what is theirs', async ({ assert }) => {
    const { admin, visitor } = await adminSession()
    await UserFactory.createMany(3)
    await UserContainerFactory.merge({ userId: admin.id, status: 'running' }).create()

    const first = await visitor.get('/api/v1/admin/users?limit=2')
    assert.lengthOf(first.body.data, 2)
    assert.deepEqual(first.body.meta, { total: 4, page: 1, limit: 2, totalPages: 2 })
    const past = await visitor.get('/api/v1/admin/users?limit=2&page=9')
    assert.lengthOf(past.body.data, 0)
    assert.equal(past.body.meta.total, 4)

    const all = await visitor.get('/api/v1/admin/users')
    const found = all.body.data.find((user: { id: string }) => user.id === admin.id)
    assert.sameMembers(Object.keys(found), [
      'id',
      'name',
      'email',
      'emailVerified',
      'image',
      'role',
      'isLocalAuth',
      'createdAt',
      'deactivatedAt',
      'invitedAt',
      'invitedBy',
      'isInvited',
      'agentStatus',
    ])
    assert.equal(found.agentStatus, 'running')
    assert.equal((await visitor.get('/api/v1/admin/users?limit=101')).status, 422)
  })

  test('lists agents by status only', async ({ assert }) => {
    const { visitor } = await adminSession()
    const row = await UserContainerFactory.with('user').make()
    await row.renewGatewayToken()
    row.userId = (await UserFactory.create()).id
    await row.save()

    const { body } = await visitor.get('/api/v1/admin/agents')
    assert.equal(body.meta.total, 1)
    assert.containsSubset(body.data[0], { id: row.id, userId: row.userId, status: 'stopped' })
    for (const hidden of ['gatewayToken', 'endpoint', 'runtimeState', 'enc:']) {
      assert.notInclude(JSON.stringify(body), hidden)
    }
  })

  test('finds agents by their state and by whose they are', async ({ assert }) => {
    const { visitor } = await adminSession()
    const ana = await UserFactory.merge({ name: 'Ana Sousa', email: 'ana@example.org' }).create()
    const rui = await UserFactory.merge({ name: 'Rui', email: 'rui@example.org' }).create()
    await UserContainerFactory.merge({ userId: ana.id, status: 'running' }).create()
    await UserContainerFactory.merge({ userId: rui.id, status: 'error' }).create()
    const { id: eva } = await UserFactory.merge({ name: 'Eva', email: 'eva@a.test' }).create()
    await UserContainerFactory.merge({ userId: eva, status: 'suspended' }).create()

    for (const [query, found] of [
      ['status=error', [rui.id]],
      ['status=suspended', [eva]],
      ['status=resting', [eva]],
      ['search=SOUSA', [ana.id]],
      ['search=example.org', [ana.id, rui.id]],
      ['search=rui@&status=running', []],
    ] as const) {
      const { body } = await visitor.get(`/api/v1/admin/agents?${query}`)
      const ids = body.data.map(({ userId }: { userId: string }) => userId)
      assert.sameMembers(ids, [...found], query)
    }
    assert.equal((await visitor.get('/api/v1/admin/agents?status=happy')).status, 422)
  })

  test('lists the audit record, newest first', async ({ assert }) => {
    const { admin, visitor } = await adminSession()
    await visitor.patch('/api/v1/admin/settings', { 'agents.idleTimeoutMin': 10 })
    const { body } = await visitor.get('/api/v1/admin/audit?limit=1')
    assert.containsSubset(body.data[0], {
      action: 'settings.changed',
      actor: { id: admin.id },
      details: { keys: ['agents.idleTimeoutMin'] },
      address: '127.0.0.1',
    })
  })

  test('says which runtimes there are and what is wrong with the one in use', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    await settings.set('runtime.driver', 'memory')
    const { status, body } = await visitor.get('/api/v1/admin/runtimes')
    assert.equal(status, 200)
    const inUse = body.data.filter((runtime: { inUse: boolean }) => runtime.inUse)
    assert.lengthOf(inUse, 1)
    assert.containsSubset(inUse[0], { name: 'memory', findings: [] })
  })

  test('shows what a plugin calls its runtime, and the page that it sends people to', async ({
    assert,
    cleanup,
  }) => {
    const runtimes = await app.container.make('runtime.manager')
    cleanup(() => runtimes.restore())
    const finding = {
      severity: 'warning' as const,
      code: 'acme_old',
      message: 'Old.',
      hint: 'Renew.',
    }
    const links = ['https://acme.test/old', 'javascript:alert(1)', undefined]
    const preflight = async () => links.map((link) => ({ ...finding, link }))
    const own = { label: 'Acme VMs', description: 'A small machine for each agent.' }
    runtimes.fake(Object.assign(new MemoryDriver(), own, { preflight }), 'memory')

    const { visitor } = await adminSession()
    const { body } = await visitor.get('/api/v1/admin/runtimes')
    const byName = (wanted: string) =>
      body.data.find(({ name }: { name: string }) => name === wanted)
    assert.containsSubset(byName('memory'), {
      ...own,
      findings: [{ link: 'https://acme.test/old' }, { link: null }, { link: null }],
    })
    assert.containsSubset(byName('process'), { label: null, description: null })
    for (const { code, link } of byName('process').findings) {
      assert.equal(link, `/docs/runtimes#${code}`)
    }
  })

  test('says that a runtime’s check failed, and still shows the others', async ({
    assert,
    cleanup,
  }) => {
    const runtimes = await app.container.make('runtime.manager')
    cleanup(() => runtimes.restore())
    const preflight = () => Promise.reject(new Error('no engine'))
    runtimes.fake(Object.assign(new MemoryDriver(), { preflight }), 'memory')
    const { visitor } = await adminSession()
    const { status, body } = await visitor.get('/api/v1/admin/runtimes')
    assert.equal(status, 200)
    const failed = body.data.find(({ name }: { name: string }) => name === 'memory')
    assert.isFalse(failed.usable)
    assert.containsSubset(failed.findings, [
      { code: 'check_failed', message: 'The check failed: no engine' },
    ])
    assert.isAbove(body.data.length, 1)
  })

  test('says of each other runtime whether it can be used here', async ({ assert }) => {
    const { visitor } = await adminSession()
    const { body } = await visitor.get('/api/v1/admin/runtimes')
    const names = body.data.map(({ name }: { name: string }) => name)
    assert.sameMembers(names, ['process', 'docker', 'swarm', 'memory'])
    for (const runtime of body.data) {
      assert.isTrue(runtime.movesData)
      const isError = ({ severity }: { severity: string }) => severity === 'error'
      assert.equal(runtime.usable, !runtime.findings.some(isError))
      for (const { message, hint } of runtime.findings) assert.isNotEmpty(message && hint)
    }
  })
})

test.group('System agents', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  const PATH = '/api/v1/admin/system-agents'
  const OPS = { name: 'mosaic-system-ops', role: 'operations', primaryModel: 'work/test-model' }

  async function setUp() {
    const calls: string[] = []
    const note = (verb: string) => async (agent: string) => void calls.push(`${verb} ${agent}`)
    const controls: AgentControls = {
      start: note('start'),
      stop: note('stop'),
      restart: note('restart'),
    }
    const audit = await app.container.make('audit')
    const real = await app.container.make('agents.system')
    app.container.bindValue(
      'agents.system',
      new SystemAgents(async () => controls, audit, ownModel)
    )

    const { admin, visitor } = await adminSession()
    const provider = await LlmProviderFactory.merge({ userId: admin.id, name: 'work' }).create()
    const restore = () => app.container.bindValue('agents.system', real)
    return { admin, visitor, provider, calls, restore }
  }

  test('are made, changed, controlled and deleted', async ({ assert, cleanup }) => {
    const { visitor, provider, calls, restore } = await setUp()
    cleanup(restore)

    const made = await visitor.post(PATH, OPS)
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const { id } = made.body.data
    assert.containsSubset(made.body.data, { ...OPS, providerId: provider.id, desired: 'running' })
    const row = await SystemContainer.findOrFail(id)
    assert.match(row.gatewayToken!, /^enc:/)
    assert.notInclude(JSON.stringify(made.body), 'enc:')

    assert.equal((await visitor.patch(`${PATH}/${id}`, { role: 'monitor' })).status, 200)
    assert.equal((await visitor.patch(`${PATH}/${id}`, { role: 'monitor' })).status, 200)
    assert.equal((await visitor.post(`${PATH}/${id}/stop`)).status, 202)
    assert.equal((await visitor.patch(`${PATH}/${id}`, { isActive: false })).status, 200)
    assert.equal((await visitor.delete(`${PATH}/${id}`)).status, 204)
    assert.isNull(await SystemContainer.find(id))
    assert.deepEqual(
      calls.map((call) => call.split(' ')[0]),
      ['start', 'restart', 'stop', 'stop', 'stop']
    )
    assert.isAbove((await AuditEvent.query().where('subject_id', id)).length, 4)
  })

  test('answer a start with what is begun', async ({ assert, cleanup }) => {
    const { visitor, restore } = await setUp()
    cleanup(restore)
    const { id } = (await visitor.post(PATH, OPS)).body.data
    const lifecycle = await app.container.make('agents.lifecycle')
    const begun = { status: 'starting', desired: 'running' } as const
    const doubled = Object.assign(Object.create(lifecycle), {
      describe: async () => ({ ...begun, runtime: null, lastActiveAt: null, startedAt: null }),
    })
    app.container.bindValue('agents.lifecycle', doubled)
    cleanup(() => app.container.bindValue('agents.lifecycle', lifecycle))
    assert.containsSubset((await visitor.post(`${PATH}/${id}/start`)).body.data, begun)
    assert.equal((await SystemContainer.findOrFail(id)).status, 'stopped')
  })

  test('have names of their own, and models that the admin has', async ({ assert, cleanup }) => {
    const { visitor, restore } = await setUp()
    cleanup(restore)
    assert.equal((await visitor.post(PATH, OPS)).status, 201)
    assert.equal((await visitor.post(PATH, OPS)).status, 409)

    const other = { ...OPS, name: 'mosaic-system-monitor' }
    for (const primaryModel of ['work/none', 'nobody/test-model']) {
      const { status, body } = await visitor.post(PATH, { ...other, primaryModel })
      assert.equal(status, 422, primaryModel)
      assert.equal(body.errors[0].field, 'primaryModel')
    }
    assert.equal((await visitor.post(PATH, { ...other, name: 'Not A Name' })).status, 422)
  })

  test('keep their name, under which their data is kept', async ({ assert, cleanup }) => {
    const { visitor, restore } = await setUp()
    cleanup(restore)
    const { id } = (await visitor.post(PATH, OPS)).body.data
    assert.equal((await visitor.patch(`${PATH}/${id}`, { name: OPS.name })).status, 200)

    const renamed = await visitor.patch(`${PATH}/${id}`, { name: 'mosaic-system-other' })
    assert.equal(renamed.status, 422)
    assert.equal(renamed.body.errors[0].field, 'name')
  })

  test('that do not exist are 404', async ({ assert }) => {
    const { visitor } = await adminSession()
    assert.equal((await visitor.patch(`${PATH}/none`, { role: 'x' })).status, 404)
    assert.equal((await visitor.delete(`${PATH}/none`)).status, 404)
    assert.equal((await visitor.post(`${PATH}/none/start`)).status, 404)
  })
})
