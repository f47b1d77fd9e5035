import type { Assert } from '@japa/assert'
import { rejectsWithCode, type SuiteTest } from '#tests/contracts/suite'
import type { SealContext, VaultDriver } from '#vaults/contract'

/** Test environment of a vault. */
export interface VaultTrial {
  /**
   * Opens a driver with these keys: the first seals, any opens. A name stands for one key throughout the
   * trial; the suite uses `old` and `new`.
   */
  open(keys: [string, ...string[]]): Promise<VaultDriver>
  /** Opens a driver that lacks something, such as its key file. Undefined if nothing can be missing. */
  broken?(): Promise<VaultDriver>
  /** Opens a driver with the key `old` whose service does not answer. Undefined for a vault without a service. */
  unreachable?(): Promise<VaultDriver>
  close?(): Promise<void>
}

export interface VaultSuite {
  /** The vault's name, for test titles. */
  name: string
  /** Creates a trial for one test. */
  prepare: () => Promise<VaultTrial>
}

const HERE: SealContext = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }

/** Values that no vault of these tests sealed, some of which look sealed. */
const FOREIGN = ['', 'sk-plain', 'enc:', 'enc:unknown:0123abcd:AAAAAAAAAAAAAAAA', 'enc::::', '🔑']

/**
 * The contract of a vault driver, as tests:
 *
 *   import { test } from '@japa/runner'
 *   vaultSuite(test, { name: 'acme', prepare: async () => ({ open: async (keys) => … }) })
 */
export function vaultSuite(test: SuiteTest, { name, prepare }: VaultSuite): void {
  test.group(`Vault contract | ${name}`, (group) => {
    let trial: VaultTrial
    let vault: VaultDriver

    const lacks = (part: 'broken' | 'unreachable') => async () => {
      const one = await prepare()
      await one.close?.()
      return !one[part]
    }

    group.each.setup(async () => {
      trial = await prepare()
      vault = await trial.open(['old'])
      return () => trial.close?.()
    })

    test('has a name that a configuration file can use', ({ assert }) => {
      assert.match(vault.name, /^[a-z0-9][a-z0-9_-]*$/)
    })

    test('opens what it sealed, whatever the text')
      .with(['sk-plain', '', 'läuft 🔑', '\0\n', 'x'.repeat(100_000)])
      .run(async ({ assert }, plain) => {
        const sealed = await vault.seal(plain, HERE)
        assert.equal(await vault.open(sealed, HERE), plain)
      })

    test('marks what it sealed, and shows nothing of the secret', async ({ assert }) => {
      const sealed = await vault.seal('the-secret-itself', HERE)
      assert.match(sealed, /^enc:[\x21-\x7e]+$/)
      assert.isTrue(sealed.startsWith(vault.prefix ?? 'enc:'))
      assert.notInclude(sealed, 'the-secret-itself')
      assert.notInclude(sealed, Buffer.from('the-secret-itself').toString('base64url').slice(2, -2))
    })

    test('seals the same text differently each time', async ({ assert }) => {
      const all = await Promise.all(Array.from({ length: 100 }, () => vault.seal('same', HERE)))
      assert.equal(new Set(all).size, all.length)
    })

    test('names the key that sealed a value, and none for any other text', async ({ assert }) => {
      const other = await trial.open(['new'])
      const [first, second] = [await vault.seal('one', HERE), await vault.seal('two', HERE)]
      assert.isNotEmpty(vault.keyId(first))
      assert.equal(vault.keyId(first), vault.keyId(second))
      assert.notEqual(other.keyId(await other.seal('one', HERE)), vault.keyId(first))
      for (const text of FOREIGN) assert.isNull(vault.keyId(text), text)
    })

    test('refuses a value that moved to another {$self}')
      .with(['table', 'column', 'rowId'] as const)
      .run(async ({ assert }, part) => {
        const sealed = await vault.seal('secret', HERE)
        const elsewhere = { ...HERE, [part]: 'elsewhere' }
        await rejectsWithCode(assert, () => vault.open(sealed, elsewhere), 'E_VAULT_TAMPERED')
        await rejectsWithCode(
          assert,
          async () => vault.open(await vault.reseal(sealed, elsewhere), elsewhere),
          'E_VAULT_TAMPERED'
        )
      })

    test('keeps the parts of a place apart', async ({ assert }) => {
      const sealed = await vault.seal('secret', { table: 'ab', column: 'c', rowId: 'd' })
      for (const alike of [
        { table: 'a', column: 'bc', rowId: 'd' },
        { table: 'ab', column: 'cd', rowId: '' },
      ]) {
        await rejectsWithCode(assert, () => vault.open(sealed, alike), 'E_VAULT_TAMPERED')
      }
    })

    test('refuses a value in which any character was altered', async ({ assert }) => {
      const sealed = await vault.seal('secret', HERE)
      // In base64, the last character may contain unused bits.
      for (let index = 'enc:'.length; index < sealed.length - 1; index++) {
        const other = sealed[index] === 'A' ? 'B' : 'A'
        const altered = sealed.slice(0, index) + other + sealed.slice(index + 1)
        const error = await vault.open(altered, HERE).catch((thrown: unknown) => thrown)
        assert.include(
          ['E_VAULT_TAMPERED', 'E_VAULT_UNKNOWN_KEY'],
          String((error as { code?: unknown } | null)?.code),
          `character ${index} of ${sealed.length}`
        )
      }
    })

    test('refuses a part of a value, and what it never sealed', async ({ assert }) => {
      const sealed = await vault.seal('a secret of some length', HERE)
      const parts = [sealed.slice(0, -4), sealed.slice(0, sealed.lastIndexOf(':') + 9)]
      for (const text of [...parts, 'sk-plain', '']) {
        await rejectsWithCode(assert, () => vault.open(text, HERE), 'E_VAULT_TAMPERED')
      }
    })

    test('says that it does not know the key of another installation', async ({ assert }) => {
      const sealed = await vault.seal('secret', HERE)
      const stranger = await trial.open(['new'])
      for (const attempt of [stranger.open(sealed, HERE), stranger.reseal(sealed, HERE)]) {
        await rejectsWithCode(assert, () => attempt, 'E_VAULT_UNKNOWN_KEY')
      }
    })

    test('opens with all keys and seals with the first', async ({ assert }) => {
      const both = await trial.open(['new', 'old'])
      assert.equal(await both.open(await vault.seal('former', HERE), HERE), 'former')
      const present = await trial.open(['new'])
      assert.equal(await present.open(await both.seal('present', HERE), HERE), 'present')
    })

    test('reseals a value once, so that a rotation can resume', async ({ assert }) => {
      const sealed = await vault.seal('secret', HERE)
      const both = await trial.open(['new', 'old'])
      const resealed = await both.reseal(sealed, HERE)
      assert.equal(await (await trial.open(['new'])).open(resealed, HERE), 'secret')
      assert.equal(await both.reseal(resealed, HERE), resealed)
    })

    test('opens after a restart what it sealed before', async ({ assert }) => {
      const sealed = await vault.seal('secret', HERE)
      const next = await trial.open(['old'])
      assert.equal(await next.open(sealed, HERE), 'secret')
    })

    test('finds no fault in a vault that works', async ({ assert }) => {
      const findings = await vault.preflight()
      assert.deepEqual(
        findings.filter(({ severity }) => severity === 'error'),
        []
      )
    })

    test('tells what a vault lacks, with a next step, and seals nothing', async ({ assert }) => {
      const broken = await trial.broken!()
      await hasFaults(assert, broken)
      await assert.rejects(() => broken.seal('secret', HERE))
    }).skip(lacks('broken'), 'prepare returns no "broken": this vault can lack nothing')

    test('tells a service that is down from a bad value', async ({ assert }) => {
      const sealed = await vault.seal('secret', HERE)
      const down = await trial.unreachable!()
      await hasFaults(assert, down)
      assert.equal(down.keyId(sealed), vault.keyId(sealed))
      for (const attempt of [down.seal('secret', HERE), down.open(sealed, HERE)]) {
        const error = await attempt.catch((thrown: unknown) => thrown)
        const { code, status } = error as { code?: string; status?: number }
        assert.notInclude(['E_VAULT_TAMPERED', 'E_VAULT_UNKNOWN_KEY'], String(code))
        assert.equal(
          status,
          503,
          'Throw E_VAULT_UNREACHABLE, or an error of your own with status 503'
        )
      }
    }).skip(lacks('unreachable'), 'prepare returns no "unreachable": this vault has no service')
  })
}

async function hasFaults(assert: Assert, vault: VaultDriver): Promise<void> {
  const errors = (await vault.preflight()).filter(({ severity }) => severity === 'error')
  assert.isNotEmpty(errors)
  for (const { message, hint } of errors) {
    assert.match(message, /\.$/)
    assert.match(hint, /\.$/)
  }
}
