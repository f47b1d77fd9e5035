import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import db from '@adonisjs/lucid/services/db'
import LlmProvider from '#models/llm_provider'
import { UserFactory } from '#database/factories/user_factory'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'

test.group('Sealed columns', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('hold sealed text, open on purpose, and never serialise', async ({ assert }) => {
    const owner = await UserFactory.create()
    const provider = await LlmProviderFactory.merge({ userId: owner.id }).make()
    await provider.seal('apiKey', 'sk-canary-123')
    await provider.save()

    const found = await LlmProvider.findOrFail(provider.id)
    assert.match(found.apiKey!, /^enc:v1:/)
    assert.equal(await found.open('apiKey'), 'sk-canary-123')
    assert.notInclude(JSON.stringify(found), 'enc:')
    assert.notInclude(JSON.stringify(found), 'sk-canary')

    const row = await db.from('llm_providers').where('id', provider.id).firstOrFail()
    assert.notInclude(JSON.stringify(row), 'sk-canary')
  })

  test('refuse to be written with what is not sealed', async ({ assert }) => {
    const provider = await LlmProviderFactory.with('user').make()
    provider.apiKey = 'sk-plain'
    await assert.rejects(
      () => provider.save(),
      'A secret was about to be stored without being sealed.'
    )
  })

  test('do not open in another row', async ({ assert }) => {
    const [mine, theirs] = await LlmProviderFactory.with('user').createMany(2)
    await mine.seal('apiKey', 'sk-mine')
    theirs.apiKey = mine.apiKey
    await assert.rejects(() => theirs.open('apiKey'), /does not open/)
  })

  test('only declared columns can be sealed', async ({ assert }) => {
    const provider = await LlmProviderFactory.with('user').make()
    await assert.rejects(() => provider.seal('name', 'x'), /not declared as sealed/)
  })
})
