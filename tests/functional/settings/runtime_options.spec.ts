import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import { sealedValues } from '#installation/sealed_values'
import { RuntimeManager } from '#runtimes/manager'
import type { RuntimeDriverContext } from '#runtimes/define_config'
import type { RuntimeOption } from '#runtimes/options'
import { runtimeOptionSettings, storedOptions } from '#settings/runtime_options'
import { Settings } from '#settings/settings'
import { SettingsChanges } from '#settings/settings_changes'
import vault from '#vaults/services/main'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

const OPTIONS: RuntimeOption[] = [
  { name: 'region', label: 'Region', type: 'text', default: 'south' },
  { name: 'token', label: 'Access token', type: 'secret', help: 'From the console.' },
  { name: 'engine', label: 'Engine', type: 'text', changedBy: 'operator' },
  { name: 'engineKey', label: 'Its key', type: 'secret', changedBy: 'operator' },
  { name: 'size', label: 'Size', type: 'number', default: 2, min: 1, max: 8, whole: true },
  { name: 'shared', label: 'Shared', type: 'flag', default: false },
  {
    name: 'disk',
    label: 'Disk',
    type: 'choice',
    default: 'slow',
    choices: [
      { value: 'slow', label: 'Cheap' },
      { value: 'fast', label: 'Fast' },
    ],
  },
]

test.group('Options of a runtime', (group) => {
  const clean = async () => {
    await db.from('system_configs').delete()
  }
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await clean()
    return clean
  })

  /** An installation with a plugin, and the options passed to its driver. */
  async function installation() {
    const runtimes = new RuntimeManager(
      {
        default: 'memory',
        launch: { storage: '/data', openclaw: [], entrypoint: '/entrypoint.sh' },
        drivers: {},
      },
      async () => 'here',
      (name) => storedOptions(settings, name)
    )
    const settings: Settings = new Settings(vault, Date.now, async () =>
      runtimeOptionSettings(runtimes)
    )
    let context: RuntimeDriverContext | undefined
    const factory = (given: RuntimeDriverContext) => {
      context = given
      return new MemoryDriver()
    }
    runtimes.extend('acme', factory, { options: OPTIONS })
    await runtimes.use('acme' as string)
    return { settings, told: () => context!.options() }
  }

  test('have their defaults until an admin sets them, and reach the driver at once', async ({
    assert,
  }) => {
    const { settings, told } = await installation()
    const defaults = {
      region: 'south',
      token: null,
      engine: null,
      engineKey: null,
      size: 2,
      shared: false,
      disk: 'slow',
    }
    assert.deepEqual(await told(), defaults)
    await settings.patch({
      'runtime.options.acme.region': 'north',
      'runtime.options.acme.token': 'canary-token',
      'runtime.options.acme.size': 4,
      'runtime.options.acme.shared': true,
      'runtime.options.acme.disk': 'fast',
    })
    const set = {
      ...defaults,
      region: 'north',
      token: 'canary-token',
      size: 4,
      shared: true,
      disk: 'fast',
    }
    assert.deepEqual(await told(), set)
    await settings.patch({ 'runtime.options.acme.size': null })
    assert.deepEqual(await told(), { ...set, size: 2 })
  })

  test('that name where agents go are changed on the command line alone', async ({ assert }) => {
    const { settings, told } = await installation()
    const audit = await app.container.make('audit')
    const changes = new SettingsChanges(settings, async () => [], audit)
    const values = { 'runtime.options.acme.engine': 'tcp://machine.of.an.admin:2375' }
    const admin = await UserFactory.apply('admin').create()
    const refused = () => changes.apply(values, { user: admin, address: '127.0.0.1' })
    await assert.rejects(refused, /Only an operator changes runtime\.options\.acme\.engine/)
    assert.isNull((await told()).engine)
    const secret = { 'runtime.options.acme.engineKey': 'canary-key' }
    const { help } = await changes
      .apply(secret, { user: admin, address: '127.0.0.1' })
      .catch((error) => error)
    assert.equal(help, 'Run: node ace settings:set runtime.options.acme.engineKey - < file')
    const listed = await settings.list()
    const entry = listed.find(({ key }) => key === 'runtime.options.acme.engine')
    assert.equal(entry?.changedBy, 'operator')
    await changes.apply(values, null)
    assert.equal((await told()).engine, 'tcp://machine.of.an.admin:2375')
  })

  test('are listed with the words of the plugin, and a secret is sealed and never shown', async ({
    assert,
  }) => {
    const { settings } = await installation()
    await settings.patch({ 'runtime.options.acme.token': 'canary-token' })
    const listed = await settings.list()
    const entry = (name: string) => listed.find(({ key }) => key === `runtime.options.acme.${name}`)
    assert.deepEqual(entry('token'), {
      key: 'runtime.options.acme.token',
      value: null,
      source: 'database',
      secret: true,
      set: true,
      changedBy: 'admin',
      form: { label: 'Access token', help: 'From the console.', choices: null },
    })
    assert.lengthOf(entry('disk')!.form!.choices!, 2)
    assert.isNull(listed.find(({ key }) => key === 'runtime.driver')!.form)
    const rows = JSON.stringify(await db.from('system_configs'))
    assert.notInclude(rows + JSON.stringify(listed), 'canary-token')
  })

  test('are resealed with the other secrets, also while their plugin is away', async ({
    assert,
  }) => {
    const { settings } = await installation()
    await settings.patch({
      'runtime.options.acme.token': 'canary-token',
      'runtime.options.acme.region': 'north',
    })
    const sealed = await Array.fromAsync(sealedValues())
    assert.lengthOf(sealed, 1)
    const opened = await vault.open(sealed[0].sealed, sealed[0].context)
    assert.deepEqual(JSON.parse(opened), ['runtime.options.acme.token', 'canary-token'])
  })

  test('refuse {key} = {value}')
    .with([
      { key: 'size', value: 9 },
      { key: 'size', value: 1.5 },
      { key: 'disk', value: 'tape' },
      { key: 'shared', value: 'maybe' },
      { key: 'region', value: 'x'.repeat(3000) },
    ])
    .run(async ({ assert }, { key, value }) => {
      const { settings } = await installation()
      const change = { [`runtime.options.acme.${key}`]: value }
      await assert.rejects(() => settings.patch(change), 'Validation failure')
    })

  test('refuse a name that no plugin declared', async ({ assert }) => {
    const { settings } = await installation()
    for (const key of ['runtime.options.acme.other', 'runtime.options.other.region']) {
      await assert.rejects(() => settings.patch({ [key]: 'x' }), /no setting of this name/)
    }
  })

  test('cannot be declared so that no form can show them')
    .with([
      [{ name: 'a b', label: 'A', type: 'text' }],
      [
        { name: 'twice', label: 'A', type: 'text' },
        { name: 'twice', label: 'B', type: 'flag', default: true },
      ],
      [{ name: 'one', label: 'A', type: 'choice', default: 'none', choices: [] }],
    ] as RuntimeOption[][])
    .run(async ({ assert }, options) => {
      const runtimes = await app.container.make('runtime.manager')
      const extend = () => runtimes.extend('broken', () => new MemoryDriver(), { options })
      assert.throws(extend, /option ".+" of the runtime "broken"/)
      assert.notInclude(runtimes.names(), 'broken')
    })
})
