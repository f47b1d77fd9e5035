import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import ace from '@adonisjs/core/services/ace'
import testUtils from '@adonisjs/core/services/test_utils'
import PluginAdd from '#commands/plugin_add'
import PluginList from '#commands/plugin_list'
import PluginRemove from '#commands/plugin_remove'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import AuditEvent from '#models/audit_event'
import UserContainer from '#models/user_container'
import { pluginProviders } from '#plugins/plugin_loader'
import { E_VAULT_UNREACHABLE } from '#vaults/errors'
import { writePlugin } from '#tests/doubles/plugin_package'
import { runCommand, type Command } from '#tests/operator'

async function run(Target: Command, args: string[]) {
  const { exitCode, out, err } = await runCommand(Target, [...args, '--json'])
  return { exitCode, json: out && JSON.parse(out), err }
}

test.group('Commands for plugins', (group) => {
  let root: string
  group.tap((one) => one.timeout(120_000))
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'mosaic-commands-'))
    const { PLUGINS_PATH } = process.env
    process.env.PLUGINS_PATH = join(root, 'plugins')
    ace.ui.switchMode('raw')
    return async () => {
      process.env.PLUGINS_PATH = PLUGINS_PATH
      pluginProviders()
      ace.ui.switchMode('normal')
      await rm(root, { recursive: true })
    }
  })

  test('add, list and remove a plugin, but not while an agent needs it', async ({ assert }) => {
    const folder = await writePlugin(join(root, 'acme'))
    const added = await run(PluginAdd, [folder])
    assert.equal(added.exitCode, 0, added.err)
    assert.include(added.json, { name: 'mosaic-acme', version: '1.0.0', added: true })

    pluginProviders()
    const listed = await run(PluginList, [])
    assert.deepEqual(listed.json.plugins, [
      {
        name: 'mosaic-acme',
        version: '1.0.0',
        brings: { runtimes: ['acme'], adapters: [], vaults: [], services: [] },
        problem: null,
      },
    ])

    const { id: userId } = await UserFactory.create()
    await UserContainerFactory.merge({ userId, runtime: 'acme' }).create()
    for (const args of [[], ['--dry-run']]) {
      const refused = await run(PluginRemove, ['mosaic-acme', ...args])
      assert.equal(refused.exitCode, 1)
      assert.match(refused.err, /E_PLUGIN_IN_USE.*Agents whose data is in the runtime "acme": 1\./)
    }

    const mosaic = { apiVersion: 1, runtimes: ['other'] }
    await writePlugin(folder, { version: '2.0.0', mosaic })
    for (const args of [[], ['--dry-run']]) {
      const refused = await run(PluginAdd, [folder, ...args])
      assert.equal(refused.exitCode, 1)
      assert.match(refused.err, /E_PLUGIN_IN_USE.*Agents whose data is in the runtime "acme": 1\./)
    }

    await UserContainer.query().where('user_id', userId).update({ runtime: 'process' })
    assert.equal((await run(PluginAdd, [folder, '--dry-run'])).json.version, '2.0.0')
    const dry = await run(PluginRemove, ['mosaic-acme', '--dry-run'])
    assert.deepEqual(dry.json, { name: 'mosaic-acme', removed: false })
    const removed = await run(PluginRemove, ['mosaic-acme'])
    assert.deepEqual(removed.json, { name: 'mosaic-acme', removed: true })
    const again = await run(PluginRemove, ['mosaic-acme'])
    assert.match(again.err, /E_PLUGIN_NOT_INSTALLED/)

    const events = await AuditEvent.query().whereLike('action', 'plugin.%').orderBy('sequence')
    assert.deepEqual(
      events.map(({ action, subjectId }) => [action, subjectId]),
      [
        ['plugin.added', 'mosaic-acme'],
        ['plugin.removed', 'mosaic-acme'],
      ]
    )
  })

  test('add looks only with --dry-run, and refuses what does not fit', async ({ assert }) => {
    const fits = await run(PluginAdd, [await writePlugin(join(root, 'fits')), '--dry-run'])
    assert.equal(fits.json.added, false)
    const later = await writePlugin(join(root, 'later'), { mosaic: { apiVersion: 2 } })
    const refused = await run(PluginAdd, [later])
    assert.equal(refused.exitCode, 1)
    assert.match(refused.err, /E_PLUGIN_API_VERSION.*\n(Upgrade Mosaic|Install)/)
    pluginProviders()
    assert.deepEqual((await run(PluginList, [])).json.plugins, [])
  })

  test('add works before the database has tables and says so in a line; remove asks for them', async ({
    assert,
    cleanup,
  }) => {
    const settings = await app.container.make('settings')
    const { get } = settings
    settings.get = () => Promise.reject(new Error('no such table: system_config'))
    cleanup(() => void (settings.get = get))
    const added = await run(PluginAdd, [await writePlugin(join(root, 'acme'))])
    assert.equal(added.exitCode, 0)
    assert.include(added.json, { added: true, recorded: false })
    assert.match(
      added.err,
      /^The audit record has no event "plugin\.added".+E_DATABASE_NOT_MIGRATED/
    )
    assert.match(added.err, /migration:run/)
    assert.notMatch(added.err, /\n| at /)

    const refused = await run(PluginRemove, ['mosaic-acme'])
    assert.equal(refused.exitCode, 1)
    assert.match(refused.err, /^E_DATABASE_NOT_MIGRATED/)
  })

  test('remove works while the vault does not answer', async ({ assert, cleanup }) => {
    const added = await run(PluginAdd, [await writePlugin(join(root, 'acme'))])
    assert.equal(added.exitCode, 0, added.err)
    pluginProviders()
    const vaults = await app.container.make('vault.manager')
    const down = () => Promise.reject(new E_VAULT_UNREACHABLE())
    const { open } = vaults
    vaults.open = down
    cleanup(() => void (vaults.open = open))
    const removed = await run(PluginRemove, ['mosaic-acme'])
    assert.equal(removed.exitCode, 0, removed.err)
    assert.include(removed.json, { removed: true })
    assert.match(removed.err, /no event "plugin\.removed".+E_VAULT_UNREACHABLE/)
  })
})
