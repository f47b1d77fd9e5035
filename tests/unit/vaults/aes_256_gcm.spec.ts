import { test } from '@japa/runner'
import { parseSecretKeys } from '#vaults/secret_keys'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY } from '#vaults/errors'

const OLD = 'kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E'
const NEW = 'zY8wV6uT4sR2qP0oN9mL7kJ5iH3gF1eD'
const HERE = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }

const driver = (keys: string) => new Aes256GcmDriver({ keys: parseSecretKeys(keys) })

test.group('Vault | aes256gcm', () => {
  test('opens what it sealed', async ({ assert }) => {
    const vault = driver(OLD)
    assert.equal(await vault.open(await vault.seal('sk-läuft', HERE), HERE), 'sk-läuft')
  })

  test('gives another value at every call, which names its key', async ({ assert }) => {
    const vault = driver(OLD)
    const [first, second] = [await vault.seal('same', HERE), await vault.seal('same', HERE)]
    assert.notEqual(first, second)
    assert.match(first, /^enc:v1:[0-9a-f]{8}:[A-Za-z0-9_-]+$/)
    assert.equal(vault.keyId(first), parseSecretKeys(OLD)[0].id)
    assert.isNull(vault.keyId('sk-plain'))
  })

  test('refuses a value that moved to another {$self}')
    .with(['table', 'column', 'rowId'])
    .run(async ({ assert }, part) => {
      const vault = driver(OLD)
      const sealed = await vault.seal('secret', HERE)
      await assert.rejects(
        () => vault.open(sealed, { ...HERE, [part]: 'elsewhere' }),
        E_VAULT_TAMPERED
      )
    })

  test('refuses a value in which any character was altered', async ({ assert }) => {
    const vault = driver(OLD)
    const sealed = await vault.seal('secret', HERE)
    const start = sealed.lastIndexOf(':') + 1
    for (let index = start; index < sealed.length - 1; index++) {
      const other = sealed[index] === 'A' ? 'B' : 'A'
      const altered = sealed.slice(0, index) + other + sealed.slice(index + 1)
      await assert.rejects(() => vault.open(altered, HERE), E_VAULT_TAMPERED)
    }
    await assert.rejects(() => vault.open(sealed.slice(0, start + 8), HERE), E_VAULT_TAMPERED)
    await assert.rejects(() => vault.open('never sealed', HERE), E_VAULT_TAMPERED)
  })

  test('says that it does not know the key of another installation', async ({ assert }) => {
    const sealed = await driver(OLD).seal('secret', HERE)
    await assert.rejects(() => driver(NEW).open(sealed, HERE), E_VAULT_UNKNOWN_KEY)
  })

  test('opens with all keys, seals with the first, and reseals once', async ({ assert }) => {
    const sealed = await driver(OLD).seal('secret', HERE)
    const both = driver(`${NEW},${OLD}`)
    assert.equal(await both.open(sealed, HERE), 'secret')

    const resealed = await both.reseal(sealed, HERE)
    assert.equal(await driver(NEW).open(resealed, HERE), 'secret')
    assert.equal(await both.reseal(resealed, HERE), resealed)
  })
})
