import { test } from '@japa/runner'
import { vaultSuite } from '#tests/contracts/vault'
import { parseSecretKeys } from '#vaults/secret_keys'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'

const KEYS: Record<string, string> = {
  old: 'kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E',
  new: 'zY8wV6uT4sR2qP0oN9mL7kJ5iH3gF1eD',
}
const HERE = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }

const driver = (keys: string) => new Aes256GcmDriver({ keys: parseSecretKeys(keys) })

vaultSuite(test, {
  name: 'aes256gcm',
  prepare: async () => ({
    open: async (names) => driver(names.map((name) => KEYS[name]).join(',')),
  }),
})

test.group('Vault | aes256gcm', () => {
  test('names its version and its key in a value', async ({ assert }) => {
    const vault = driver(KEYS.old)
    const sealed = await vault.seal('secret', HERE)
    assert.match(sealed, /^enc:v1:[0-9a-f]{8}:[A-Za-z0-9_-]+$/)
    assert.equal(vault.keyId(sealed), parseSecretKeys(KEYS.old)[0].id)
  })
})
