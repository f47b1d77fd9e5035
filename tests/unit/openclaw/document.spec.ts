import { test } from '@japa/runner'
import type { LlmAdapter } from '#llm/contract'
import { canonicalJson, hashOf } from '#openclaw/canonical_json'
import { assembleDocument, type DocumentInput, type DocumentProvider } from '#openclaw/document'
import { launchFiles } from '#openclaw/launch_files'
import { PRIMER } from '#openclaw/primer_model'

/** An adapter reduced to how it stands in a document. */
const adapter: Pick<LlmAdapter, 'toOpenClaw'> = {
  toOpenClaw: ({ name, apiType, models }, endpoint) => ({
    id: `mosaic-${name}`,
    config: { baseUrl: endpoint, api: apiType, models: models.map(({ id }) => ({ id, name: id })) },
    plugins: apiType === 'ollama' ? ['ollama'] : [],
  }),
}

function provider(
  name: string,
  models: string[],
  apiType = 'openai-completions'
): DocumentProvider {
  return {
    id: `id-of-${name}`,
    name,
    apiType,
    models: models.map((id) => ({ id, name: id })),
    adapter,
  }
}

function documentOf(values: Partial<DocumentInput>) {
  return assembleDocument({
    profile: 'minimal',
    relayUrl: 'http://127.0.0.1:3334/api/internal/llm',
    providers: [provider('work', ['gpt', 'meta/llama']), provider('home', ['llama'], 'ollama')],
    primaryModel: 'work/gpt',
    fallbackModels: [],
    providerId: null,
    ...values,
  })
}

test.group('The document', () => {
  test('points every provider at the LLM relay, with the agent’s own token', ({ assert }) => {
    const { providers } = documentOf({}).models
    assert.deepEqual(Object.keys(providers), ['mosaic_primer', 'mosaic-work', 'mosaic-home'])
    assert.equal(
      providers['mosaic-work'].baseUrl,
      'http://127.0.0.1:3334/api/internal/llm/id-of-work'
    )
    for (const { apiKey } of Object.values(providers)) {
      assert.deepEqual(apiKey, { source: 'file', provider: 'mosaic', id: '/token' })
    }
  })

  test('names the primary model and its fallbacks by their entries', ({ assert }) => {
    const { model } = documentOf({ fallbackModels: ['home/llama', 'work/meta/llama'] }).agents
      .defaults
    assert.equal(model.primary, 'mosaic-work/gpt')
    assert.deepEqual(model.fallbacks, ['mosaic-home/llama', 'mosaic-work/meta/llama'])
  })

  test('searches the notes of a full agent with the embedding model, at the relay', ({
    assert,
  }) => {
    const work = provider('work', ['gpt'])
    const embed = async () => ({ ok: true as const, vectors: [], tokens: null })
    const providers = [{ ...work, adapter: { ...work.adapter, embed } }]
    const searchOf = (values: Partial<DocumentInput>) =>
      documentOf({ providers, embeddingModel: 'work/vendor/embed', ...values }).memory
    assert.deepEqual(searchOf({ profile: 'full' }), {
      search: {
        enabled: true,
        provider: 'openai-compatible',
        model: 'vendor/embed',
        remote: {
          baseUrl: 'http://127.0.0.1:3334/api/internal/llm/id-of-work',
          apiKey: { source: 'file', provider: 'mosaic', id: '/token' },
        },
      },
    })
    assert.deepEqual(searchOf({}), { search: { enabled: false } })
    for (const embeddingModel of [null, 'gone/embed', 'embed']) {
      assert.isUndefined(searchOf({ profile: 'full', embeddingModel }))
    }
    assert.isUndefined(searchOf({ profile: 'full', providers: [work] }))
  })

  test('reads a bare model id as one of the default provider', ({ assert }) => {
    const { model } = documentOf({ primaryModel: 'llama', providerId: 'id-of-home' }).agents
      .defaults
    assert.equal(model.primary, 'mosaic-home/llama')
  })

  test('finds a bare model id where it is declared, slashes and all', ({ assert }) => {
    const { model } = documentOf({ primaryModel: 'meta/llama' }).agents.defaults
    assert.equal(model.primary, 'mosaic-work/meta/llama')
  })

  test('takes the next model when the primary’s provider is gone', ({ assert }) => {
    const { model } = documentOf({ primaryModel: 'old/gpt', fallbackModels: ['home/llama'] }).agents
      .defaults
    assert.equal(model.primary, 'mosaic-home/llama')
    assert.isEmpty(model.fallbacks)
  })

  test('takes the default provider’s first model when none was chosen', ({ assert }) => {
    const { model } = documentOf({ primaryModel: null, providerId: 'id-of-home' }).agents.defaults
    assert.equal(model.primary, 'mosaic-home/llama')
  })

  test('keeps a chosen model that its provider does not declare', ({ assert }) => {
    const document = documentOf({ primaryModel: 'work/gpt-next' })
    assert.equal(document.agents.defaults.model.primary, 'mosaic-work/gpt-next')
    const ids = document.models.providers['mosaic-work'].models.map(({ id }) => id)
    assert.deepEqual(ids, ['gpt', 'meta/llama', 'gpt-next'])
  })

  test('leaves out providers without a model', ({ assert }) => {
    const providers = [provider('empty', []), provider('work', ['gpt'])]
    assert.notProperty(documentOf({ providers }).models.providers, 'mosaic-empty')
  })

  test('always holds the primer, which is nobody’s choice', ({ assert }) => {
    const document = documentOf({ providers: [provider('primer', ['gpt'])], primaryModel: null })
    const { mosaic_primer: primer } = document.models.providers
    assert.equal(primer.baseUrl, 'http://127.0.0.1:3334/api/internal/llm/primer')
    assert.deepEqual(
      primer.models.map(({ id }) => `mosaic_primer/${id}`),
      [PRIMER.model]
    )
    assert.deepEqual(document.agents.defaults.model, {
      primary: 'mosaic-primer/gpt',
      fallbacks: [],
    })
    assert.throws(() => documentOf({ providers: [], primaryModel: PRIMER.model }))
  })

  test('is refused when no provider has a model', ({ assert }) => {
    assert.throws(
      () => documentOf({ providers: [provider('empty', [])] }),
      'This agent has no LLM provider that it may use.'
    )
  })

  test('gives two providers different entries, even when both ask for one id', ({ assert }) => {
    const same = { toOpenClaw: adapter.toOpenClaw }
    same.toOpenClaw = (...call) => ({ ...adapter.toOpenClaw(...call), id: 'openai' })
    const providers = [provider('a', ['gpt']), provider('b', ['gpt'])].map((entry) => ({
      ...entry,
      adapter: same,
    }))
    const document = documentOf({ providers, primaryModel: 'b/gpt' })
    assert.containsSubset(Object.keys(document.models.providers), ['openai', 'b'])
    assert.equal(document.agents.defaults.model.primary, 'b/gpt')
  })

  test('of the minimal profile allows only the plugins that its providers need', ({ assert }) => {
    const { plugins, cron, tools } = documentOf({ profile: 'minimal' })
    assert.deepEqual(plugins.allow, ['ollama', 'document-extract', 'admin-http-rpc'])
    assert.deepEqual(cron, { enabled: false })
    assert.equal(tools.profile, 'minimal')
  })

  test('names the tools of what is known where its owner allows it', ({ assert }) => {
    const mcpUrl = '${MOSAIC_API_URL}/api/internal/mcp'
    const document = documentOf({ profile: 'minimal', mcpUrl })
    assert.deepEqual(document.mcp!.servers.mosaic, {
      url: mcpUrl,
      transport: 'streamable-http',
      headers: { Authorization: 'Bearer ${MOSAIC_KNOWLEDGE_TOKEN}' },
      requestTimeoutMs: 60_000,
    })
    assert.deepEqual(document.tools.alsoAllow, ['mosaic__*'])
    assert.isDefined(documentOf({ profile: 'full', mcpUrl }).mcp)
    for (const without of [documentOf({}), documentOf({ profile: 'full' })]) {
      assert.isUndefined(without.mcp)
      assert.isUndefined(without.tools.alsoAllow)
      assert.deepEqual(without.gateway.terminal, { enabled: false })
    }
  })

  test('of the full profile keeps reminders, memory and every plugin', ({ assert }) => {
    const document = documentOf({ profile: 'full' })
    assert.notProperty(document.plugins, 'allow')
    assert.notProperty(document, 'cron')
    assert.notProperty(document, 'memory')
    assert.equal(document.tools.profile, 'full')
  })

  test('is a pure function of its input', ({ assert }) => {
    assert.equal(hashOf(documentOf({})), hashOf(documentOf({})))
    assert.notEqual(hashOf(documentOf({})), hashOf(documentOf({ profile: 'full' })))
  })
})

test.group('Canonical JSON', () => {
  test('does not depend on the order of keys', ({ assert }) => {
    const a = { b: 1, a: { d: [2, 1], c: undefined } }
    const b = { a: { d: [2, 1] }, b: 1 }
    assert.equal(canonicalJson(a), '{"a":{"d":[2,1]},"b":1}')
    assert.equal(hashOf(a), hashOf(b))
  })
})

test.group('Launch files', () => {
  test('carry the personality and turn retries off', ({ assert }) => {
    const [{ content }] = launchFiles('You are brief.', 'write')
    assert.match(content, /^You are brief\.\n\n## What is known\n[^]*mosaic__findings_save/)
    assert.notInclude(launchFiles(null, 'read')[0].content, 'findings_save')
    assert.equal(launchFiles(null, 'off')[0].content, '')
    assert.deepEqual(launchFiles('  You are brief. '), [
      { path: 'workspace/SOUL.md', content: 'You are brief.\n' },
      {
        path: 'agents/main/agent/settings.json',
        content: '{"retry":{"provider":{"maxRetries":0}}}\n',
      },
    ])
  })

  test('empty the personality that was taken away', ({ assert }) => {
    assert.equal(launchFiles(null)[0].content, '')
  })
})
