import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { DemoAdapter } from '#llm/adapters/demo'
import { LlmRegistry } from '#llm/registry'

test.group('LLM registry', () => {
  test('has the kinds of config/llm.ts, in their order', async ({ assert }) => {
    const registry = await app.container.make('llm.registry')
    const types = registry.all().map(({ type }) => type)
    assert.deepEqual(types, ['openai', 'anthropic', 'zai', 'ollama', 'custom', 'demo'])
    assert.strictEqual(registry.get('zai'), registry.get('zai'))
  })

  test('does not know what nobody installed', ({ assert }) => {
    const registry = new LlmRegistry({ adapters: {} })
    assert.isFalse(registry.has('acme'))
    assert.throws(() => registry.get('acme'), 'This kind of provider is not known here.')
    assert.throws(() => registry.get('constructor'), 'This kind of provider is not known here.')
  })

  test('takes the adapter of a plugin', ({ assert }) => {
    const registry = new LlmRegistry({ adapters: {} })
    registry.extend('demo', () => new DemoAdapter())
    assert.equal(registry.get('demo').label, 'Demo model')
  })

  test('works with a double until that is taken away', ({ assert }) => {
    const registry = new LlmRegistry({ adapters: { demo: () => new DemoAdapter() } })
    const own = registry.get('demo')
    const double = registry.fake(new DemoAdapter())
    assert.strictEqual(registry.get('demo'), double)
    registry.restore('demo')
    assert.strictEqual(registry.get('demo'), own)
  })

  test('refuses an adapter under another name than its own', ({ assert }) => {
    const registry = new LlmRegistry({ adapters: { acme: () => new DemoAdapter() } })
    assert.throws(() => registry.get('acme'), /calls itself "demo"/)
  })
})
