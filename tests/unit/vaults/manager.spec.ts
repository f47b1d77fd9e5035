import { test } from '@japa/runner'
import { parseSecretKeys } from '#vaults/secret_keys'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { VaultManager } from '#vaults/manager'

const HERE = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }
const KEYS = parseSecretKeys('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')

const driver = () => new Aes256GcmDriver({ keys: KEYS })

test.group('Vault | manager', () => {
  test('makes a driver when it is first used, and only once', async ({ assert }) => {
    const vault = new VaultManager({ default: 'first', drivers: { first: driver } })
    const [one, two] = await Promise.all([vault.use(), vault.use('first')])
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
