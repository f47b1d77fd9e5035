import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import app from '@adonisjs/core/services/app'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import { examine } from '#console/examination'
import { GithubService } from '#identity/services/drivers/github'
import { ServiceRegistry } from '#identity/services/registry'
import SignInServiceRow from '#models/sign_in_service'
import settings from '#settings/services/main'
import { contributions, problemOf } from '#plugins/contributions'
import { missingContributions, usesOf } from '#plugins/plugin_uses'
import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { InstalledPlugin } from '#plugins/plugins_folder'
import { RuntimeManager } from '#runtimes/manager'
import { VaultManager } from '#vaults/manager'
import { E_VAULT_UNREACHABLE } from '#vaults/errors'
import { parseSecretKeys } from '#vaults/secret_keys'
import { OtherVault } from '#tests/doubles/other_vault'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

const NOTHING = { runtimes: [], adapters: [], vaults: [], services: [] }
const [KEY] = parseSecretKeys('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')

test.group('What still needs a plugin', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  let managers: Managers & {
    runtimes: RuntimeManager
    vaults: VaultManager
    services: ServiceRegistry
  }
  /** Separate managers, so that a test's additions affect no other test. */
  group.each.setup(async () => {
    const own = await (await app.container.make('vault.manager')).use()
    const memory = () => new MemoryDriver()
    managers = {
      runtimes: new RuntimeManager(
        {
          default: 'memory',
          drivers: { memory },
          launch: { storage: '/data', openclaw: [], entrypoint: '/app/entrypoint.sh' },
        },
        async () => 'here'
      ),
      vaults: new VaultManager({ default: own.name, drivers: { [own.name]: () => own } }),
      adapters: await app.container.make('llm.registry'),
      services: new ServiceRegistry({ services: {} }),
    }
  })

  const uses = async (brings: Contributions) =>
    (await usesOf(managers, settings, brings)).map(({ message }) => message)

  const owner = () => UserFactory.create()

  test('agents whose data is in its runtime, and the settings that choose it', async ({
    assert,
  }) => {
    managers.runtimes.extend('acme', () => new MemoryDriver({ name: 'acme' }))
    const brings = { ...NOTHING, runtimes: ['acme'] }
    assert.deepEqual(await uses(brings), [])

    await UserContainerFactory.merge({ userId: (await owner()).id, runtime: 'acme' }).create()
    await settings.set('runtime.driver', 'acme')
    assert.deepEqual(await uses(brings), [
      'The settings choose the runtime "acme".',
      'Agents whose data is in the runtime "acme": 1.',
    ])
  })

  test('providers of its kind', async ({ assert }) => {
    await LlmProviderFactory.merge({ userId: (await owner()).id, type: 'acme' }).create()
    assert.deepEqual(await uses({ ...NOTHING, adapters: ['acme'] }), [
      'Providers of the kind "acme": 1.',
    ])
  })

  test('its sign-in service while it is on, as long as it is loaded', async ({ assert }) => {
    const row = new SignInServiceRow()
    row.merge({ name: 'acme', clientId: 'client', signUp: 'invited', isProof: false })
    await row.merge({ isActive: true }).save()
    const brings = { ...NOTHING, services: ['acme'] }
    assert.deepEqual(await uses(brings), [])
    const lost = async () => (await examine(app)).map(({ message }) => message)
    const warning =
      'The sign-in service "acme" is on, but no plugin brings it: nobody can sign in there.'
    assert.include(await lost(), warning)

    managers.services.extend(
      'acme',
      () => ({ ...new GithubService(), name: 'acme', label: 'Acme' }) as never
    )
    assert.deepEqual(await uses(brings), ['People may sign in with Acme.'])
    const one: InstalledPlugin = {
      name: 'mosaic-acme',
      brings: null,
      manifest: null,
      problem: null,
    }
    assert.deepEqual(contributions(managers, [one]).get(one.name)!.services, ['acme'])
    await row.merge({ isActive: false }).save()
    assert.deepEqual(await uses(brings), [])
    assert.notInclude(await lost(), warning)
  })

  test('secrets that only its vault opens, whether it is loaded or not', async ({ assert }) => {
    const provider = await LlmProviderFactory.merge({ userId: (await owner()).id }).create()
    const context = { table: 'llm_providers', column: 'api_key', rowId: provider.id }
    const sealed = await new OtherVault(KEY).seal('sk-other', context)
    await provider.merge({ apiKey: sealed }).save()
    const brings = { ...NOTHING, vaults: ['other'] }
    const said = ['Secrets that only the vault "other" opens: 1.']
    assert.deepEqual(await uses(brings), said)

    managers.vaults.extend('other', () => new OtherVault(KEY))
    assert.deepEqual(await uses(brings), said)
    const opened = await managers.vaults.reseal(sealed, context)
    await provider.merge({ apiKey: opened }).save()
    assert.deepEqual(await uses(brings), [])
    assert.deepEqual(await uses({ ...NOTHING, vaults: ['aes256gcm'] }), [
      'The vault "aes256gcm" is the one that seals.',
    ])
  })

  test('a vault that cannot be created: nobody knows its secrets', async ({ assert }) => {
    const help = 'Set TRANSIT_ADDR.'
    managers.vaults.extend('other', () => {
      throw new E_VAULT_UNREACHABLE('No address.', { help })
    })
    const failure = await uses({ ...NOTHING, vaults: ['other'] }).catch((error: unknown) => error)
    assert.include(failure, {
      code: 'E_PLUGIN_USES_UNKNOWN',
      message:
        'Cannot tell whether secrets need the vault "other", so nothing was removed. No address.',
      help,
    })
  })

  test('counts what is missing for a plugin that was left out and says nothing', async ({
    assert,
  }) => {
    const { id: userId } = await owner()
    await UserContainerFactory.merge({ userId, runtime: 'gone' }).create()
    await LlmProviderFactory.merge({ userId, type: 'gone-too' }).create()
    assert.deepEqual(await missingContributions(managers, 'mosaic-gone'), {
      runtimes: ['gone'],
      adapters: ['gone-too'],
      vaults: ['mosaic-gone'],
      services: [],
    })
  })

  test('takes what nobody claims for that of each plugin that does not say', async ({ assert }) => {
    for (const name of ['claimed', 'unclaimed']) {
      managers.runtimes.extend(name, () => new MemoryDriver({ name }))
    }
    const plugin = (name: string, brings: InstalledPlugin['brings']): InstalledPlugin => ({
      name,
      brings,
      manifest: null,
      problem: null,
    })
    const claimed = { ...NOTHING, runtimes: ['claimed'] }
    const brought = contributions(managers, [plugin('one', claimed), plugin('two', null)])
    assert.deepEqual(brought.get('one'), claimed)
    assert.include(brought.get('two')!.runtimes, 'unclaimed')
    assert.notInclude(brought.get('two')!.runtimes, 'claimed')
  })

  test('says which names a plugin declares and does not register', async ({ assert }) => {
    managers.runtimes.extend('mistral', () => new MemoryDriver({ name: 'mistral' }))
    const plugin = (...runtimes: string[]): InstalledPlugin => ({
      name: 'mosaic-mistral',
      brings: { ...NOTHING, runtimes },
      manifest: null,
      problem: null,
      hasBooted: true,
    })
    const problemWith = (one: InstalledPlugin) => problemOf(managers, [one], one)
    assert.isNull(problemWith(plugin('mistral')))
    assert.isNull(problemWith({ ...plugin('mistrall'), hasBooted: false }))
    const problem = problemWith(plugin('mistral', 'mistrall')) as Error & { help: string }
    assert.match(problem.message, /declares mistrall \(runtimes\), which it does not register/)
    assert.match(problem.help, /"mosaic\.runtimes"/)
    const misspelt = problemWith(plugin('mistrall')) as Error & { help: string }
    assert.match(misspelt.help, /Registered, but not declared: .*mistral/)
    /** Removing the plugin must still look for agents under its registered name. */
    const one = plugin('mistrall')
    assert.includeMembers(contributions(managers, [one]).get(one.name)!.runtimes, ['mistral'])
  })
})
