import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { parseSecretKeys } from '#vaults/secret_keys'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY, E_VAULT_UNREACHABLE } from '#vaults/errors'
import { VaultManager } from '#vaults/manager'
import { TestClock } from '#tests/doubles/test_clock'
import { OtherVault } from '#tests/doubles/other_vault'

const HERE = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }
const KEYS = parseSecretKeys('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')

const driver = () => new Aes256GcmDriver({ keys: KEYS })

test.group('Vault | manager', () => {
  test('makes a driver when it is first used, and only once', async ({ assert }) => {
    const vault = new VaultManager({ default: 'first', drivers: { first: driver } })
    const [one, two] = await Promise.all([vault.use(), vault.use('first' as string)])
    assert.strictEqual(one, two)
  })

  test('tries again after a driver could not be made', async ({ assert }) => {
    let asked = 0
    const first = async () => {
      if (++asked === 1) throw new Error('The key service is away')
      return driver()
    }
    const vault = new VaultManager({ default: 'first', drivers: { first } })
    await assert.rejects(() => vault.use(), 'The key service is away')
    const sealed = await vault.seal('plain', HERE)
    assert.equal(await vault.open(sealed, HERE), 'plain')
    assert.equal(asked, 2)
  })
})

test.group('Vault | a service that hangs', () => {
  test('ends each wait with an error of its own', async ({ assert }) => {
    const clock = new TestClock()
    const never = () => new Promise<never>(() => {})
    const hanging = Object.assign(driver(), { seal: never, open: never, preflight: never })
    const vault = new VaultManager({ default: 'slow', drivers: { slow: () => hanging } }, clock)
    const sealed = await driver().seal('plain', HERE)
    for (const call of [
      () => vault.seal('plain', HERE),
      () => vault.open(sealed, HERE),
      () => vault.preflight(),
    ]) {
      const failure = call().catch((error: unknown) => error)
      await turn()
      clock.advance(30_000)
      const { code, status, message } = (await failure) as E_VAULT_UNREACHABLE
      assert.deepEqual([code, status], ['E_VAULT_UNREACHABLE', 503])
      assert.equal(message, 'The vault "slow" did not answer within 30 seconds.')
    }
  })
})

test.group('Errors of the contracts', () => {
  test('take a message, a next step, a cause and a status', ({ assert }) => {
    const cause = new Error('refused')
    for (const Error of [E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED, E_VAULT_UNREACHABLE]) {
      const error = new Error('Archived.', { help: 'Restore it.', cause, status: 410 })
      assert.include(error, { message: 'Archived.', help: 'Restore it.', cause, status: 410 })
      assert.include(new Error(), { message: Error.message, help: Error.help })
      assert.notInclude(new Error().help!, 'MOSAIC_SECRET_KEY')
    }
  })

  test('name MOSAIC_SECRET_KEY only for the vault that it opens', async ({ assert }) => {
    const [strange] = parseSecretKeys('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')
    const sealed = await new Aes256GcmDriver({ keys: [strange] }).seal('plain', HERE)
    const failure = await driver()
      .open(sealed, HERE)
      .catch((error: unknown) => error)
    assert.match((failure as { help: string }).help, /MOSAIC_SECRET_KEY/)
  })
})

test.group('Vault | manager of two vaults', () => {
  const [STRANGE] = parseSecretKeys('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')
  const other = () => new OtherVault(KEYS[0])
  const both = (chosen: 'own' | 'other') =>
    new VaultManager({ default: chosen, drivers: { own: driver, other } })

  test('opens what the former vault sealed', async ({ assert }) => {
    const sealed = await driver().seal('plain', HERE)
    assert.equal(await both('other').open(sealed, HERE), 'plain')
    assert.match(await both('other').seal('plain', HERE), /^enc:other:/)
  })

  test('moves a value to the default vault, and leaves it there', async ({ assert }) => {
    const vault = both('other')
    const sealed = await driver().seal('plain', HERE)
    const moved = await vault.reseal(sealed, HERE)
    assert.match(moved, /^enc:other:/)
    assert.equal(await vault.reseal(moved, HERE), moved)
    assert.equal(await both('own').open(moved, HERE), 'plain')
  })

  test('opens by key where two vaults share a form', async ({ assert }) => {
    const strange = new Aes256GcmDriver({ keys: [STRANGE] })
    const vault = new VaultManager({
      default: 'own',
      drivers: { own: driver, strange: () => strange },
    })
    const sealed = await strange.seal('plain', HERE)
    assert.equal(await vault.open(sealed, HERE), 'plain')
    assert.equal(await driver().open(await vault.reseal(sealed, HERE), HERE), 'plain')
  })

  test('tells a vault that is not there from an altered value and a missing key', async ({
    assert,
  }) => {
    const alone = new VaultManager({ default: 'own', drivers: { own: driver } })
    const codeOf = (sealed: string) =>
      alone.open(sealed, HERE).then(
        () => null,
        ({ code }) => code
      )
    const gone = await both('other').seal('plain', HERE)
    assert.equal(await codeOf(gone), 'E_VAULT_MISSING')
    await assert.rejects(() => alone.open(gone, HERE), /begins with "enc:other:"/)
    assert.isFalse(await alone.knows(gone))
    assert.equal(await codeOf('enc:v1:altered'), 'E_VAULT_TAMPERED')
    assert.equal(await codeOf('plain'), 'E_VAULT_TAMPERED')
    const strange = await new Aes256GcmDriver({ keys: [STRANGE] }).seal('plain', HERE)
    assert.equal(await codeOf(strange), 'E_VAULT_UNKNOWN_KEY')
  })

  test('says why a vault that a value may need cannot be made', async ({ assert }) => {
    const vault = new VaultManager({
      default: 'own',
      drivers: {
        own: driver,
        other: () => {
          throw new Error('The key file is gone')
        },
      },
    })
    assert.equal(await vault.open(await vault.seal('plain', HERE), HERE), 'plain')
    const sealed = await other().seal('plain', HERE)
    await assert.rejects(() => vault.open(sealed, HERE), 'The key file is gone')
  })

  test('knows which values are lost without a vault', async ({ assert }) => {
    const vault = both('other')
    const sealed = await vault.seal('plain', HERE)
    assert.isTrue(await vault.dependsOn('other', sealed, HERE))
    assert.isFalse(await vault.dependsOn('own', sealed, HERE))
  })

  test('works with a double until that is taken away', async ({ assert }) => {
    const vault = new VaultManager({ default: 'own', drivers: { own: driver } })
    const double = vault.fake(other())
    assert.strictEqual(await vault.use(), double)
    assert.match(await vault.seal('plain', HERE), /^enc:other:/)
    vault.restore()
    assert.match(await vault.seal('plain', HERE), /^enc:v1:/)
    assert.throws(() => vault.fake(other(), 'typo'), 'There is no vault driver "typo".')
  })
})
