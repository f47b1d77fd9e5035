import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import app from '@adonisjs/core/services/app'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { SecretKey } from '#vaults/secret_keys'
import { VaultManager } from '#vaults/manager'
import SystemConfig from '#models/system_config'
import { examine } from '#console/examination'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import { checkBoot, checkDrivers } from '#installation/boot_check'
import { E_DATABASE_NOT_MIGRATED, E_DATABASE_UNREACHABLE } from '#exceptions/database_errors'
import { Settings } from '#settings/settings'
import { E_VAULT_MISSING, E_VAULT_WRONG_KEY } from '#vaults/errors'
import { OtherVault } from '#tests/doubles/other_vault'

const OTHER_KEY = new SecretKey('Qq1Ww2Ee3Rr4Tt5Yy6Uu7Ii8Oo9Pp0Aa')

const withKey = (key: SecretKey) =>
  new Settings(
    new VaultManager({
      default: 'own',
      drivers: { own: () => new Aes256GcmDriver({ keys: [key] }) },
    })
  )

/** Settings over a database that fails every query with this error. */
const failing = (error: Error) => ({ get: () => Promise.reject(error) }) as unknown as Settings

test.group('What must hold before the server listens', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await SystemConfig.query().where('key', 'vault.sentinel').delete()
  })

  test('the first boot plants a sentinel, the next ones open it', async ({ assert }) => {
    const vault = await app.container.make('vault.manager')
    await checkBoot(new Settings(vault))
    const row = await SystemConfig.findByOrFail('key', 'vault.sentinel')
    assert.match(row.value!, /^enc:/)
    await checkBoot(new Settings(vault))
  })

  test('another key than the one that sealed the database is refused', async ({ assert }) => {
    await checkBoot(new Settings(await app.container.make('vault.manager')))
    await assert.rejects(() => checkBoot(withKey(OTHER_KEY)), E_VAULT_WRONG_KEY)
  })

  test('what a plugin’s own error class says is told as it stands', async ({ assert }) => {
    const unknown = Object.assign(new Error('No such key'), { code: 'E_VAULT_UNKNOWN_KEY' })
    await assert.rejects(() => checkBoot(failing(unknown)), E_VAULT_WRONG_KEY)
    const told = { code: 'E_KEY_FILE', help: 'Give the file back.' }
    const foreign = Object.assign(new Error('The key file is gone.'), told)
    await assert.rejects(() => checkBoot(failing(foreign)), 'The key file is gone.')
  })

  test('a database of a vault that is not installed is told as that', async ({ assert }) => {
    const others = new VaultManager({
      default: 'other',
      drivers: { other: () => new OtherVault(OTHER_KEY) },
    })
    await checkBoot(new Settings(others))
    await assert.rejects(() => checkBoot(withKey(OTHER_KEY)), E_VAULT_MISSING)
  })

  test('the doctor counts the secrets of a vault that is not installed', async ({ assert }) => {
    const owner = await UserFactory.create()
    for (const name of ['one', 'two']) {
      const provider = await LlmProviderFactory.merge({ userId: owner.id, name }).create()
      const context = { table: 'llm_providers', column: 'api_key', rowId: provider.id }
      const sealed = await new OtherVault(OTHER_KEY).seal('sk-lost', context)
      await provider.merge({ apiKey: sealed }).save()
    }
    const findings = await examine(app)
    const lost = findings.filter(({ area }) => area === 'vault')
    assert.deepEqual(
      lost.map(({ severity, message }) => [severity, message]),
      [
        [
          'error',
          'A secret was sealed by a vault that is not installed: it begins with "enc:other:". Secrets like it: 2.',
        ],
      ]
    )
  })

  test('a vault or a runtime in use that is not installed ends the boot', async ({ assert }) => {
    const vaults = new VaultManager({ default: 'gone', drivers: {} as Record<'gone', never> })
    const runtimes = { names: () => ['process'] }
    const settings = { get: async () => 'bubblewrap' as never }
    await assert.rejects(
      () => checkDrivers(vaults, runtimes, settings),
      'VAULT_DRIVER names the vault "gone", which is not installed.'
    )
    const present = new VaultManager({
      default: 'other',
      drivers: { other: () => new OtherVault(OTHER_KEY) },
    })
    await assert.rejects(
      () => checkDrivers(present, runtimes, settings),
      'The settings choose the runtime "bubblewrap", which is not installed.'
    )
    await checkDrivers(present, { names: () => ['process', 'bubblewrap'] }, settings)
  })

  test('a database without tables, or none at all, is named as that', async ({ assert }) => {
    const missing = Object.assign(new Error('relation does not exist'), { code: '42P01' })
    await assert.rejects(() => checkBoot(failing(missing)), E_DATABASE_NOT_MIGRATED)
    const sqlite = new Error('select * - no such table: system_configs')
    await assert.rejects(() => checkBoot(failing(sqlite)), E_DATABASE_NOT_MIGRATED)
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    await assert.rejects(() => checkBoot(failing(refused)), E_DATABASE_UNREACHABLE)
  })
})
