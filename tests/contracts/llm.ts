import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { allowsCall, callsOf } from '#llm/api_calls'
import { CALL_FAILURES, CONNECTION_FAILURES } from '#llm/contract'
import type {
  CallFailure,
  ConnectionFailure,
  Fetch,
  LlmAdapter,
  LlmConnection,
} from '#llm/contract'
import { createGuardedFetch } from '#llm/guarded_fetch'
import { judge } from '#llm_relay/verdict'
import type { SuiteTest } from '#tests/contracts/suite'
import { LoopbackService, type Received, type Reply } from '#tests/contracts/loopback_service'

export interface LlmAdapterSuite {
  /** The adapter's name, for test titles. */
  name: string
  /** Creates an adapter. Called for each test, because an adapter keeps no state. */
  adapter: () => LlmAdapter
  /** Behaviour of the service. Omit for an adapter that answers by itself (`respond`). */
  service?: {
    /** Path of the base address after the host: `/v1`, or empty. */
    path: string
    /** Ids in the service's list that a test must find. */
    models: string[]
    /** Responds correctly, whether or not the key is right. */
    answer: (request: Received) => Reply
    /** Set if the service may lack a list, so that one token has to be completed. */
    listPath?: string
    /** A model that makes embeddings; required if the adapter has `embed`. */
    embeddingModel?: string
  }
  /**
   * Errors from the service's documentation, each with the reason that `readError` or Mosaic itself must
   * derive. A body that is not a string is sent as JSON.
   */
  errors?: { status: number; body: unknown; reason: CallFailure }[]
}

const KEY = 'canary-key-0123456789abcdef'

/** Milliseconds until a connection test gives up on a service that hangs. */
const HANGING_MS = 400
/** The same for a service that answers: long enough that a busy machine does not fail an honest adapter. */
const ANSWERING_MS = 10_000

const json = (status: number, value: unknown): Reply => ({ status, json: value })

/** A service that repeats the key in its response, as some do. */
const leaky = (status: number): Reply => json(status, { error: { message: `bad key ${KEY}` } })

const BEHAVIOURS: { does: string; reply: Reply; reason: ConnectionFailure }[] = [
  { does: 'refuses the key', reply: leaky(401), reason: 'unauthorized' },
  { does: 'forbids it', reply: leaky(403), reason: 'unauthorized' },
  { does: 'is not under this path', reply: leaky(404), reason: 'not_found' },
  { does: 'had too many requests', reply: leaky(429), reason: 'rate_limited' },
  { does: 'wants to be paid', reply: leaky(402), reason: 'rate_limited' },
  { does: 'fails', reply: leaky(500), reason: 'bad_response' },
  { does: 'refuses the request', reply: leaky(400), reason: 'bad_response' },
  {
    does: 'sends on to another address',
    reply: { status: 302, json: {}, headers: { location: 'http://127.0.0.1:1/' } },
    reason: 'bad_response',
  },
  { does: 'answers another JSON', reply: json(200, { hello: 'world' }), reason: 'bad_response' },
  { does: 'answers a list of nonsense', reply: json(200, [1, null]), reason: 'bad_response' },
  { does: 'answers null', reply: json(200, null), reason: 'bad_response' },
  {
    does: 'answers a web page',
    reply: (response) => response.end('<!doctype html><title>Hello</title>'),
    reason: 'bad_response',
  },
  { does: 'says nothing', reply: () => {}, reason: 'timeout' },
  {
    does: 'stops in the middle of its answer',
    reply: (response) => response.writeHead(200).write('{"data": ['),
    reason: 'timeout',
  },
  { does: 'hangs up', reply: (response) => response.destroy(), reason: 'unreachable' },
]

/**
 * The contract of an LLM adapter, as tests:
 *
 *   import { test } from '@japa/runner'
 *   llmAdapterSuite(test, {
 *     name: 'acme',
 *     adapter: () => new AcmeAdapter(),
 *     service: { path: '/v1', models: ['acme-1'], answer: (request) => … },
 *   })
 */
export function llmAdapterSuite(test: SuiteTest, options: LlmAdapterSuite): void {
  describesItself(test, options)
  entersTheDocument(test, options)
  readsErrors(test, options)
  if (options.service) {
    testsConnections(test, options, options.service)
    makesEmbeddings(test, options, options.service)
  }
}

function describesItself(test: SuiteTest, { name, adapter }: LlmAdapterSuite): void {
  test.group(`LLM adapter ${name}: its description`, () => {
    test('names its type, and itself for a person', ({ assert }) => {
      const made = adapter()
      assert.match(made.type, /^[a-z0-9][a-z0-9-]{0,31}$/)
      assert.isAbove(made.label.length, 1)
      assert.match(made.description, /\.$/)
    })

    test('shows known fields once each, and a help that is a sentence', ({ assert }) => {
      const { fields } = adapter()
      const names = fields.map((field) => field.name)
      assert.lengthOf(new Set(names), names.length)
      for (const field of fields) {
        assert.include(['apiKey', 'baseUrl', 'apiType', 'models'], field.name)
        assert.isAbove(field.label.length, 0)
        if (field.help) assert.match(field.help, /\S$/)
      }
    })

    test('asks for an address where it has none, and offers its default API', ({ assert }) => {
      const { defaults, fields, respond } = adapter()
      const address = fields.find((field) => field.name === 'baseUrl')
      if (defaults.baseUrl === null && !respond) assert.isTrue(address?.required)
      if (defaults.baseUrl) assert.notMatch(defaults.baseUrl, /\/$/)

      const offered = fields.find((field) => field.name === 'apiType')?.options
      if (offered)
        assert.include(
          offered.map(({ value }) => value),
          defaults.apiType
        )
    })

    test('says what an agent may call by each API that it offers, in full', ({ assert }) => {
      const made = adapter()
      const offered = made.fields.find(({ name: field }) => field === 'apiType')?.options ?? []
      for (const family of [made.defaults.apiType, ...offered.map(({ value }) => value)]) {
        const calls = callsOf(made, family)
        assert.isNotEmpty(calls, `an agent can call nothing by ${family}`)
        for (const { method, path } of calls) {
          assert.include(['GET', 'POST'], method)
          assert.match(path, /^(?:\/(?:[A-Za-z0-9._:-]*\{\w+\})?[A-Za-z0-9._:-]*)+$/)
          assert.notInclude(path, '..')
        }
        for (const astray of ['/..%2fadmin', '/%2E%2E%2Fadmin', '/..;/admin', '/..%5cadmin', '/']) {
          assert.isFalse(allowsCall(calls, 'POST', astray), astray)
        }
        assert.isFalse(allowsCall(calls, 'DELETE', calls[0].path))
      }
    })

    test('tidies an address once and for all, and leaves its own as it is', ({ assert }) => {
      const made = adapter()
      const tidy = (address: string) => made.tidyBaseUrl?.(address) ?? address
      for (const address of ['http://host:1', 'http://host:1/v1', 'https://host/a/b']) {
        assert.equal(tidy(tidy(address)), tidy(address))
      }
      const { baseUrl } = made.defaults
      if (baseUrl) assert.equal(tidy(baseUrl), baseUrl)
    })
  })
}

function entersTheDocument(test: SuiteTest, { name, adapter }: LlmAdapterSuite): void {
  const models = [
    { id: 'small', name: 'Small' },
    { id: 'vendor/large:latest', name: 'Large', contextWindow: 1000, maxTokens: 100 },
  ]
  const entry = (provider: string) => {
    const made = adapter()
    const { apiType } = made.defaults
    const endpoint = 'http://127.0.0.1:3334/api/internal/llm/abc'
    return made.toOpenClaw({ id: 'abc', name: provider, apiType, models }, endpoint)
  }

  test.group(`LLM adapter ${name}: its entry in the document`, () => {
    test('calls the endpoint it is given, by the API it is given', ({ assert }) => {
      const { config } = entry('work')
      assert.equal(config.baseUrl, 'http://127.0.0.1:3334/api/internal/llm/abc')
      assert.equal(config.api, adapter().defaults.apiType)
      assert.deepEqual(
        config.models.map(({ id }) => id),
        ['small', 'vendor/large:latest']
      )
      assert.notProperty(config, 'apiKey')
    })

    test('is `mosaic-<name>`, the same each time, as `openClawEntry` makes it', ({ assert }) => {
      assert.deepEqual(entry('work'), entry('work'))
      assert.equal(entry('work').id, 'mosaic-work')
      assert.equal(entry('home').id, 'mosaic-home')
    })
  })
}

function readsErrors(test: SuiteTest, { name, adapter, errors = [] }: LlmAdapterSuite): void {
  test.group(`LLM adapter ${name}: errors of its service`, () => {
    for (const { status, body, reason } of errors) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      test(`says ${reason} of status ${status} with ${text.slice(0, 60)}`, ({ assert }) => {
        assert.isAtLeast(status, 300, 'Mosaic asks `readError` about refusals alone')
        assert.equal(judge({ status, body: text }, name, adapter()).reason, reason)
      })
    }

    test('leaves to Mosaic what it cannot read, and throws for none', ({ assert }) => {
      const made = adapter()
      for (const body of ['', '{"error":', 'null', '1', '[null]', '{}', '"no"', '<html></html>']) {
        const told = made.readError?.({ status: 500, body }) ?? null
        if (told) assert.include(CALL_FAILURES, told.reason)
      }
    })
  })
}

function testsConnections(
  test: SuiteTest,
  { name, adapter }: LlmAdapterSuite,
  service: NonNullable<LlmAdapterSuite['service']>
): void {
  const fetch = createGuardedFetch({ allowedRanges: ['127.0.0.0/8'] })

  const connect = (
    baseUrl: string,
    changes: Partial<LlmConnection> = {},
    { via = fetch, withinMs = ANSWERING_MS }: { via?: Fetch; withinMs?: number } = {}
  ) => {
    const made = adapter()
    const { apiType } = made.defaults
    return made.testConnection(
      { baseUrl, apiKey: KEY, apiType, models: [], ...changes },
      { fetch: via, signal: AbortSignal.timeout(withinMs) }
    )
  }

  const fails = async (assert: any, run: ReturnType<typeof connect>, reason: ConnectionFailure) => {
    const result = await run
    if (result.ok) return assert.fail('the test passed')
    assert.equal(result.reason, reason)
    assert.include(CONNECTION_FAILURES, result.reason)
    assert.deepEqual(result.models, [])
    assert.match(result.message, /^[A-Z].+\.$/)
    assert.notInclude(JSON.stringify(result), KEY)
  }

  test.group(`LLM adapter ${name}: testing a connection`, () => {
    test('finds the models of a service that answers', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(service.answer)
      cleanup(() => server.close())
      const result = await connect(`${server.url}${service.path}`)
      assert.isTrue(result.ok, JSON.stringify(result))
      assert.includeMembers(
        result.models.map(({ id }) => id),
        service.models
      )
      for (const model of result.models) assert.isAbove(model.name.length, 0)
      assert.isAtLeast(result.latencyMs, 0)
    })

    test('sends the key as `authorize` writes it, and nowhere else', async ({
      assert,
      cleanup,
    }) => {
      const server = await LoopbackService.start(service.answer)
      cleanup(() => server.close())
      await connect(`${server.url}${service.path}`)

      const wanted = new Headers()
      adapter().authorize(wanted, KEY)
      const [written] = [...wanted].filter(([, value]) => value.includes(KEY))
      assert.isDefined(written, 'authorize() writes the key into a header')
      for (const { headers, url, body } of server.received) {
        assert.equal(headers[written[0]], written[1])
        assert.notInclude(`${url} ${JSON.stringify(body)}`, KEY)
      }
    })

    test('needs no key to ask a service that wants none', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(service.answer)
      cleanup(() => server.close())
      const result = await connect(`${server.url}${service.path}`, { apiKey: null })
      assert.isTrue(result.ok)
    })

    for (const { does, reply, reason } of BEHAVIOURS) {
      test(`says ${reason} of a service that ${does}`, async ({ assert, cleanup }) => {
        const server = await LoopbackService.start(() => reply)
        cleanup(() => server.close())
        const withinMs = reason === 'timeout' ? HANGING_MS : ANSWERING_MS
        await fails(assert, connect(`${server.url}${service.path}`, {}, { withinMs }), reason)
      })
    }

    test('says unreachable where nothing listens', async ({ assert }) => {
      const server = await LoopbackService.start(service.answer)
      const { url } = server
      await server.close()
      await fails(assert, connect(`${url}${service.path}`), 'unreachable')
    })

    test('says bad_response of what speaks no HTTP', async ({ assert, cleanup }) => {
      const server = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end('220 mail.example.test ESMTP\r\n'))
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      cleanup(() => void server.close())
      const { port } = server.address() as AddressInfo
      await fails(assert, connect(`http://127.0.0.1:${port}${service.path}`), 'bad_response')
    })

    test('says blocked_address where Mosaic does not go, without a call', async ({
      assert,
      cleanup,
    }) => {
      const server = await LoopbackService.start(service.answer)
      cleanup(() => server.close())
      const shut = createGuardedFetch({ allowedRanges: [] })
      await fails(
        assert,
        connect(`${server.url}${service.path}`, {}, { via: shut }),
        'blocked_address'
      )
      assert.lengthOf(server.received, 0)
    })

    test('fails with the reason of the signal', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(() => () => {})
      cleanup(() => server.close())
      const made = adapter()
      const controller = new AbortController()
      const run = made.testConnection(
        {
          baseUrl: `${server.url}${service.path}`,
          apiKey: KEY,
          apiType: made.defaults.apiType,
          models: [],
        },
        { fetch, signal: controller.signal }
      )
      controller.abort(new Error('called off'))
      await assert.rejects(() => run, 'called off')
    })
  })

  const { listPath } = service
  if (!listPath) return

  test.group(`LLM adapter ${name}: a service without a list`, () => {
    const listless = (request: Received) =>
      request.url.split('?')[0] === listPath ? json(404, {}) : service.answer(request)
    const declared = { models: [{ id: 'declared-model', name: 'Declared' }] }

    test('is asked for one token of a declared model', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(listless)
      cleanup(() => server.close())
      const result = await connect(`${server.url}${service.path}`, declared)
      assert.isTrue(result.ok, JSON.stringify(result))
      assert.deepEqual(
        result.models.map(({ id }) => id),
        ['declared-model']
      )
      assert.containsSubset(server.received.at(-1)?.body as object, { model: 'declared-model' })
    })

    test('is not found where no model is declared', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(listless)
      cleanup(() => server.close())
      await fails(assert, connect(`${server.url}${service.path}`), 'not_found')
    })

    test('says bad_response where the token is none', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start((request) =>
        request.url.split('?')[0] === listPath ? json(404, {}) : json(200, { odd: true })
      )
      cleanup(() => server.close())
      await fails(assert, connect(`${server.url}${service.path}`, declared), 'bad_response')
    })
  })
}

function makesEmbeddings(
  test: SuiteTest,
  { name, adapter }: LlmAdapterSuite,
  { path, answer, embeddingModel }: NonNullable<LlmAdapterSuite['service']>
): void {
  test.group(`LLM adapter ${name}: embeddings`, () => {
    test('are made by the model that the suite names', ({ assert }) => {
      assert.equal(adapter().embed !== undefined, embeddingModel !== undefined)
    })
    if (!embeddingModel) return

    const fetch = createGuardedFetch({ allowedRanges: ['127.0.0.0/8'] })
    const texts = ['the harbour of Genoa', 'a lighthouse']
    const embed = (url: string, signal = AbortSignal.timeout(ANSWERING_MS)) => {
      const made = adapter()
      const { apiType } = made.defaults
      const connection = { baseUrl: `${url}${path}`, apiKey: KEY, apiType, models: [] }
      return made.embed!(connection, { model: embeddingModel, texts }, { fetch, signal })
    }

    test('are one vector per text, with the key in its header alone', async ({
      assert,
      cleanup,
    }) => {
      const server = await LoopbackService.start(answer)
      cleanup(() => server.close())
      const made = await embed(server.url)
      if (!made.ok) return assert.fail(made.message)
      assert.lengthOf(made.vectors, texts.length)
      for (const vector of made.vectors) assert.lengthOf(vector, made.vectors[0].length)
      assert.notDeepEqual(made.vectors[0], made.vectors[1])
      const [{ url, body, headers }] = server.received
      assert.include(JSON.stringify(body), texts[1])
      assert.include(JSON.stringify(headers), KEY)
      assert.notInclude(`${url} ${JSON.stringify(body)}`, KEY)
    })

    for (const { does, reply, reason } of BEHAVIOURS) {
      test(`say ${reason} of a service that ${does}`, async ({ assert, cleanup }) => {
        const server = await LoopbackService.start(() => reply)
        cleanup(() => server.close())
        const withinMs = reason === 'timeout' ? HANGING_MS : ANSWERING_MS
        const made = await embed(server.url, AbortSignal.timeout(withinMs))
        if (made.ok) return assert.fail('it found vectors')
        assert.equal(made.reason, reason)
        assert.match(made.message, /^[A-Z].+\.$/)
        assert.notInclude(JSON.stringify(made), KEY)
      })
    }

    test('fail with the reason of the signal', async ({ assert, cleanup }) => {
      const server = await LoopbackService.start(() => () => {})
      cleanup(() => server.close())
      const controller = new AbortController()
      const run = embed(server.url, controller.signal)
      controller.abort(new Error('called off'))
      await assert.rejects(() => run, 'called off')
    })
  })
}
