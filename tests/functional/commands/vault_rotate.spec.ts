import { randomBytes } from 'node:crypto'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import VaultRotate from '#commands/vault_rotate'
import { examineVaults } from '#console/vault_examination'
import * as models from '#database/schema'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import type { VaultDriver } from '#vaults/contract'
import { VaultManager } from '#vaults/manager'
import { SecretKey } from '#vaults/secret_keys'
import { OtherVault } from '#tests/doubles/other_vault'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import LlmProvider from '#models/llm_provider'
import SystemConfig from '#models/system_config'
import UserContainer from '#models/user_container'
import settings from '#settings/services/main'
import { isSealedColumn } from '#models/columns'
import { SEALED_MODELS } from '#installation/sealed_values'
import { runCommand } from '#tests/operator'
import { rotateVault } from '#installation/vault_rotation'

/** The key of the tests, and a newer one that precedes it. */
const OLD = new SecretKey('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')
const NEW = new SecretKey('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')

const rotated = () => new Aes256GcmDriver({ keys: [NEW, OLD] })

const managed = (own: () => VaultDriver) => new VaultManager({ default: 'own', drivers: { own } })

async function plantSecrets() {
  const owner = await UserFactory.create()
  const provider = await LlmProviderFactory.merge({ userId: owner.id }).make()
  await provider.seal('apiKey', 'sk-canary')
  await provider.save()
  const container = await UserContainerFactory.merge({ userId: owner.id }).make()
  await container.renewGatewayToken()
  await container.save()
  await settings.set('oidc.clientSecret', 'canary-secret')
  return { provider, container }
}

test.group('Rotating the vault', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('walks every model that declares a sealed column', async ({ assert }) => {
    const declaring = Object.values(models)
      .filter((schema) => schema.$columns.some((name) => isSealedColumn(schema as never, name)))
      .map(({ name }) => name)
    const walked = SEALED_MODELS.map((model) => Object.getPrototypeOf(model))
    assert.equal(declaring.length, SEALED_MODELS.length, declaring.join())
    assert.lengthOf(walked, declaring.length)
  })

  test('seals everything with the new key, and nothing twice', async ({ assert }) => {
    const { provider, container } = await plantSecrets()
    const vault = rotated()
    const first = await rotateVault(managed(rotated))
    assert.equal(first.failed, 0)
    assert.isAtLeast(first.resealed, 3)
    assert.equal(first.resealed, first.examined)

    const row = await LlmProvider.findOrFail(provider.id)
    assert.equal(vault.keyId(row.apiKey!), NEW.id)
    const context = { table: 'llm_providers', column: 'api_key', rowId: row.id }
    assert.equal(await vault.open(row.apiKey!, context), 'sk-canary')
    const token = (await UserContainer.findOrFail(container.id)).gatewayToken!
    assert.equal(vault.keyId(token), NEW.id)
    const secret = await SystemConfig.findByOrFail('key', 'oidc.clientSecret')
    assert.equal(vault.keyId(secret.value!), NEW.id)

    assert.deepEqual(await rotateVault(managed(rotated)), { ...first, resealed: 0 })
  })

  test('moves everything to another vault, and back', async ({ assert }) => {
    const { provider, container } = await plantSecrets()
    const own = () => new Aes256GcmDriver({ keys: [OLD] })
    const other = () => new OtherVault(NEW)
    const vaults = (chosen: 'own' | 'other') =>
      new VaultManager({ default: chosen, drivers: { own, other } })
    const places = async () => [
      (await LlmProvider.findOrFail(provider.id)).apiKey!,
      (await UserContainer.findOrFail(container.id)).gatewayToken!,
      (await SystemConfig.findByOrFail('key', 'oidc.clientSecret')).value!,
    ]

    const there = await rotateVault(vaults('other'))
    assert.equal(there.resealed, there.examined)
    for (const sealed of await places()) assert.match(sealed, /^enc:other:/)

    assert.deepEqual(await rotateVault(vaults('own')), there)
    for (const sealed of await places()) assert.match(sealed, /^enc:v1:/)
  })

  test('touches nothing if another instance of the vault does not open what it seals', async ({
    assert,
  }) => {
    const { provider } = await plantSecrets()
    const forgetful = () => new OtherVault(new SecretKey(randomBytes(32).toString('base64')))
    const drivers = { own: () => new Aes256GcmDriver({ keys: [OLD] }), forgetful }
    const vaults = new VaultManager({ default: 'forgetful', drivers })
    const error = await rotateVault(vaults).catch((thrown: unknown) => thrown)
    assert.include(error, { code: 'E_VAULT_NOT_LASTING' })
    assert.match((await LlmProvider.findOrFail(provider.id)).apiKey!, /^enc:v1:/)
  })

  test('leaves alone what does not open, counts it, and goes on', async ({ assert }) => {
    const { provider } = await plantSecrets()
    const strange = new Aes256GcmDriver({
      keys: [new SecretKey('Qq1Ww2Ee3Rr4Tt5Yy6Uu7Ii8Oo9Pp0Aa')],
    })
    const context = { table: 'llm_providers', column: 'api_key', rowId: provider.id }
    const sealed = await strange.seal('sk-other', context)
    await provider.merge({ apiKey: sealed }).save()

    const done = await rotateVault(managed(rotated))
    assert.equal(done.failed, 1)
    assert.isAtLeast(done.resealed, 2)
    await provider.refresh()
    assert.equal(provider.apiKey, sealed)
  })
})

test.group('The command vault:rotate', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ace.ui.switchMode('raw')
    const vault = await app.container.make('vault.manager')
    vault.fake(rotated())
    return () => {
      vault.restore()
      settings.refresh()
      ace.ui.switchMode('normal')
    }
  })

  const record = async (action: 'user.signed_in' | 'user.signed_out') => {
    const audit = await app.container.make('audit')
    await audit.record({ action })
  }
  const rotate = async (...flags: string[]) => runCommand(VaultRotate, ['--json', ...flags])

  test('seals nothing again while the audit record is broken, unless it is told to', async ({
    assert,
  }) => {
    const { provider } = await plantSecrets()
    const sealed = await new Aes256GcmDriver({ keys: [OLD] }).seal('sk-canary', placeOf(provider))
    await provider.merge({ apiKey: sealed }).save()
    await record('user.signed_in')
    await record('user.signed_out')
    await db.from('audit_events').where('action', 'user.signed_in').update({ actor_name: 'Eve' })

    const refused = await rotate()
    assert.equal(refused.exitCode, 1)
    assert.match(refused.err, /^E_AUDIT_BROKEN: .+\.\n.+\.$/)
    assert.equal((await provider.refresh()).apiKey, sealed)

    const told = await rotate('--despite-broken-audit')
    assert.equal(told.exitCode, 1)
    assert.containSubset(JSON.parse(told.out), { failed: 0, former: 0 })
    assert.equal(rotated().keyId((await provider.refresh()).apiKey!), NEW.id)
  })

  test('fails while a replica that was not restarted seals with the old key, as doctor tells', async ({
    assert,
  }) => {
    const { provider } = await plantSecrets()
    const done = await rotate()
    assert.equal(done.exitCode, 0, done.out + done.err)
    assert.containSubset(JSON.parse(done.out), { failed: 0, former: 0 })

    const vault = await app.container.make('vault.manager')
    const old = new Aes256GcmDriver({ keys: [OLD] })
    const late = Object.assign(rotated(), {
      reseal: async (sealed: string) => sealed,
    })
    vault.fake(late)
    const sealed = await old.seal('sk-late', placeOf(provider))
    await provider.merge({ apiKey: sealed }).save()
    const again = await rotate()
    assert.equal(again.exitCode, 1)
    assert.containSubset(JSON.parse(again.out), { failed: 0, former: 1 })

    const findings = await examineVaults(vault, await app.container.make('settings'))
    assert.deepEqual(
      findings.map(({ severity, message }) => [severity, message]),
      [['warning', 'Secrets that still need a former key or vault: 1.']]
    )
  })
})

const placeOf = ({ id }: LlmProvider) => ({
  table: 'llm_providers',
  column: 'api_key',
  rowId: id,
})
