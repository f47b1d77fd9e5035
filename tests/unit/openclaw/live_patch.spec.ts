import { test } from '@japa/runner'
import { livePatch } from '#openclaw/live_patch'

const provider = (...ids: string[]) => ({
  baseUrl: 'http://mosaic/p1',
  apiKey: { source: 'file', provider: 'mosaic', id: '/token' },
  models: ids.map((id) => ({ id, name: id })),
})

const document = (providers: Record<string, object>, primary = 'work/a') => ({
  gateway: { mode: 'local', auth: { token: { source: 'file', id: '/token' } } },
  agents: { defaults: { model: { primary, fallbacks: [] as string[] } } },
  models: { providers },
  plugins: { allow: ['openai'] },
})

/** As a gateway tells it: what might be secret is crossed out, and its own notes are added. */
const told = (value: object) => ({
  ...JSON.parse(JSON.stringify(value).replaceAll('"/token"', '"__OPENCLAW_REDACTED__"')),
  meta: { lastTouchedVersion: '2026.9.6' },
})

test.group('What reaches a gateway while it runs', () => {
  test('is nothing where nothing differs', ({ assert }) => {
    const same = document({ work: provider('a') })
    assert.deepEqual(livePatch(told(same), same), { patch: {}, replacePaths: [] })
  })

  test('is another model, and another provider', ({ assert }) => {
    const before = document({ work: provider('a') })
    const after = document({ work: provider('a'), home: provider('b') }, 'home/b')
    assert.deepEqual(livePatch(told(before), after), {
      patch: {
        agents: { defaults: { model: { primary: 'home/b' } } },
        models: { providers: { home: provider('b') } },
      },
      replacePaths: [],
    })
  })

  test('is a list that became another one, named as the gateway wants it', ({ assert }) => {
    const before = document({ work: provider('a', 'b') })
    const after = document({ work: provider('b') }, 'work/b')
    assert.deepEqual(livePatch(told(before), after), {
      patch: {
        agents: { defaults: { model: { primary: 'work/b' } } },
        models: { providers: { work: { models: [{ id: 'b', name: 'b' }] } } },
      },
      replacePaths: ['models.providers.work.models'],
    })
  })

  test('is that a key of the agent’s own is gone, whatever its name: {$self}')
    .with(['constructor', '__proto__', 'toString'])
    .run(({ assert }, name) => {
      const wanted = document({ work: provider('a') })
      const current = told(wanted)
      const value = { enumerable: true, value: { x: 1 } }
      Object.defineProperty(current.agents.defaults, name, value)
      const { patch } = livePatch(current, wanted)!
      assert.equal(JSON.stringify(patch), `{"agents":{"defaults":{"${name}":null}}}`)
    })

  test('is that a provider is gone', ({ assert }) => {
    const before = document({ work: provider('a'), home: provider('b') })
    assert.deepEqual(livePatch(told(before), document({ work: provider('a') })), {
      patch: { models: { providers: { home: null } } },
      replacePaths: ['models.providers.home.models'],
    })
  })

  test('is nothing that other sections are about', ({ assert }) => {
    const before = document({ work: provider('a') })
    const after = { ...before, plugins: { allow: ['openai', 'anthropic'] } }
    assert.isNull(livePatch(told(before), after))
    assert.isNull(livePatch(told(before), { ...before, cron: { enabled: false } }))
  })

  test('is nothing that a path cannot name', ({ assert }) => {
    const before = document({ 'v1.5': provider('a', 'b') })
    assert.isNull(livePatch(told(before), document({ 'v1.5': provider('a') })))
  })
})
