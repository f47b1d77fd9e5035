import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import app from '@adonisjs/core/services/app'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { SecretKey } from '#vaults/secret_keys'
import { VaultManager } from '#vaults/manager'
import SystemConfig from '#models/system_config'
import { examine } from '#console/examination'
import { examineVaults } from '#console/vault_examination'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import { checkBoot, checkDrivers } from '#installation/boot_check'
import { E_DATABASE_NOT_MIGRATED, E_DATABASE_UNREACHABLE } from '#exceptions/database_errors'
import { Settings } from '#settings/settings'
import { secrets } from '#start/env'
import {
  E_VAULT_MISSING,
  E_VAULT_UNKNOWN_KEY,
  E_VAULT_UNREACHABLE,
  E_VAULT_WRONG_KEY,
} from '#vaults/errors'
import { checkVault as checkReadiness } from '#installation/readiness'
import { TestClock } from '#tests/doubles/test_clock'
import { OtherVault } from '#tests/doubles/other_vault'

const OTHER_KEY = new SecretKey('Qq1Ww2Ee3Rr4Tt5Yy6Uu7Ii8Oo9Pp0Aa')

const withKey = (key: SecretKey) =>
  new Settings(
    new VaultManager({
      default: 'own',
      drivers: { own: () => new Aes256GcmDriver({ keys: [key] }) },
    })
  )

const own = new Aes256GcmDriver({ keys: secrets.keys })

/** What the doctor says of these vaults, each finding with its severity. */
async function examineWith(vaults: VaultManager) {
  const findings = await examineVaults(vaults, new Settings(vaults))
  return findings.map(({ severity, message }) => [severity, message])
}

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

  test('a plugin’s vault that lacks the key speaks for itself', async ({ assert }) => {
    const help = 'Add it to TRANSIT_KEYS.'
    const unknown = new E_VAULT_UNKNOWN_KEY('The key "mosaic" is unknown.', { help })
    const others = new VaultManager({
      default: 'other',
      drivers: { other: () => new OtherVault(OTHER_KEY) },
    })
    await checkBoot(new Settings(others))
    others.fake(Object.assign(new OtherVault(OTHER_KEY), { open: () => Promise.reject(unknown) }))
    const told = await checkBoot(new Settings(others)).catch((error: unknown) => error)
    assert.include(told, { code: unknown.code, message: unknown.message, help })
  })

  test('readiness tells a vault that is down from a key that does not open', async ({ assert }) => {
    const secret = (get: () => Promise<string>) =>
      ({
        get: async (key: string) => (key === 'vault.sentinel' ? get() : 'process'),
      }) as unknown as Settings
    const clock = new TestClock()
    const down = new E_VAULT_UNREACHABLE('http://10.0.0.7 refused.')
    const cases: [get: () => Promise<string>, says: string][] = [
      [async () => 'opened', 'The key opens what this database holds.'],
      [() => Promise.reject(down), 'The vault does not answer.'],
      [() => Promise.reject(new Error('fetch failed')), 'The vault does not answer.'],
      [() => new Promise(() => {}), 'The vault does not answer.'],
      [
        () => Promise.reject(new E_VAULT_UNKNOWN_KEY()),
        'The key does not open what this database holds.',
      ],
      [
        () => Promise.reject(new E_VAULT_MISSING('enc:other:')),
        'The vault that sealed what this database holds is not installed.',
      ],
    ]
    for (const [get, says] of cases) {
      const check = checkReadiness(secret(get), clock)
      await turn()
      clock.advance(5000)
      assert.equal((await check).message, says)
    }
    await assert.rejects(() => checkReadiness(failing(new Error('no rows'))), 'no rows')
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

  test('the doctor names a vault in use that is not installed', async ({ assert }) => {
    const findings = await examineWith(
      new VaultManager({ default: 'transit' as 'aes256gcm', drivers: { aes256gcm: () => own } })
    )
    assert.deepEqual(findings, [
      ['error', 'VAULT_DRIVER names the vault "transit", which is not installed.'],
    ])
  })

  test('the doctor reports a vault that is down once, and only warns of one that nothing needs', async ({
    assert,
  }) => {
    const message = 'The service refused.'
    const down = () =>
      Object.assign(new OtherVault(OTHER_KEY), {
        open: () => Promise.reject(new E_VAULT_UNREACHABLE(message)),
        preflight: async () => [{ severity: 'error' as const, message, hint: 'Start it.' }],
      })
    const vaults = (chosen: 'aes256gcm' | 'other') =>
      new VaultManager({ default: chosen, drivers: { aes256gcm: () => own, other: down } })
    assert.deepEqual(await examineWith(vaults('aes256gcm')), [
      ['warning', `The vault "other", which nothing needs yet: ${message}`],
    ])
    assert.deepEqual(await examineWith(vaults('other')), [
      ['error', `The vault "other": ${message}`],
    ])
    const row = await SystemConfig.findByOrFail('key', 'vault.sentinel')
    const place = { table: 'system_configs', column: 'value', rowId: row.id }
    await row.merge({ value: await down().seal('{}', place) }).save()
    for (const chosen of ['aes256gcm', 'other'] as const) {
      assert.deepEqual(await examineWith(vaults(chosen)), [
        ['error', `The vault "other": ${message}`],
      ])
    }
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
