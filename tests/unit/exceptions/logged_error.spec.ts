import { Writable } from 'node:stream'
import { test } from '@japa/runner'
import { errors } from 'undici'
import { Logger } from '@adonisjs/core/logger'
import { HttpContextFactory } from '@adonisjs/core/factories/http'
import loggerConfig from '#config/logger'
import { E_AGENT_GONE } from '#chat/errors'
import { ofItsKind } from '#chat/failure_kinds'
import { ModelFailed, refusal, runFailure } from '#chat/failures'
import { reportTo } from '#chat/report'
import { toAnswer } from '#exceptions/api_errors'
import HttpExceptionHandler from '#exceptions/handler'
import { loggedError } from '#exceptions/logged_error'
import { ProviderEmbeddings } from '#llm_relay/embeddings'
import { E_GATEWAY_FAILED } from '#openclaw/errors'

/** Something that was said in a chat, and where Mosaic's code would be if a gateway wrote the stack. */
const SAID = 'my secret diagnosis'
const WORDS = `The model refused: ${SAID}\n    at ${SAID} (chat.ts:1:1)`

/** A logger as configured, and what it wrote. */
function log() {
  let text = ''
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    },
  })
  const config = { ...loggerConfig.loggers.app, level: 'info', transport: undefined, destination }
  const logger = new Logger(config as never)
  return { logger, text: () => text }
}

function thrownBy(act: () => unknown): Error {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('It threw nothing')
}

const providerFailure = { provider: 'work', reason: 'bad_request', message: WORDS } as const
const gatewayRefusal = () =>
  Object.assign(new Error(WORDS), { gatewayCode: 'UNAVAILABLE', details: { text: SAID } })

const QUOTING: Record<string, () => Error> = {
  'a run that failed': () => runFailure(WORDS, null),
  'a provider of a run': () => runFailure(null, { ...providerFailure, at: new Date() }),
  'a refused request': () => refusal(404, {}, JSON.stringify({ error: { message: WORDS } }), null),
  'a refused call under /v1': () =>
    ofItsKind(new ModelFailed({ ...providerFailure, reason: 'not_found' })) as Error,
  "a gateway's refusal": () => new E_GATEWAY_FAILED(undefined, { cause: gatewayRefusal() }),
  "a gateway's reason to close": () =>
    new E_GATEWAY_FAILED(undefined, { cause: new Error(`gateway closed (1011): ${WORDS}`) }),
  'an answer that is no JSON': () =>
    new E_AGENT_GONE(undefined, { cause: thrownBy(() => JSON.parse(SAID)) }),
  'a defect over JSON': () => thrownBy(() => JSON.parse(`{"a": ${SAID}`)),
  'an answer that is no HTTP': () =>
    Object.assign(new errors.HTTPParserError(WORDS), { code: 'HPE_INVALID_CONSTANT', data: SAID }),
}

test.group('The log', () => {
  test('says which failure it was and where, and not what others said: {$self}')
    .with(Object.keys(QUOTING))
    .run(({ assert }, kind) => {
      const { logger, text } = log()
      const error = QUOTING[kind]()
      logger.warn({ err: error }, 'a chat failed')
      assert.notInclude(text(), 'secret')
      const { err } = JSON.parse(text())
      assert.equal(err.code, (error as { code?: string }).code)
      assert.equal(err.type, error.constructor.name)
      assert.include(err.stack, 'logged_error.spec')
    })

  test('says no more by way of a chat, or of an answer: {$self}')
    .with(Object.keys(QUOTING))
    .run(async ({ assert }, kind) => {
      const { logger, text } = log()
      reportTo(logger)(QUOTING[kind]())
      const ctx = new HttpContextFactory().create()
      ctx.logger = logger
      await new HttpExceptionHandler().report(QUOTING[kind](), ctx)
      assert.notInclude(text(), 'secret')
      assert.isNotEmpty(text())
    })

  test('says no word of an embedding provider', async ({ assert }) => {
    const embed = async () => ({ ok: false, reason: 'bad_request', message: WORDS })
    const target = {
      provider: { id: 'p', isActive: true },
      adapter: { embed },
      baseUrl: 'http://x',
    }
    const embeddings = new ProviderEmbeddings(
      { ofOwner: async () => target as never },
      fetch,
      () => {}
    )
    const { logger, text } = log()
    const err = await embeddings.try('u1', 'work/model').catch((error: Error) => error)
    assert.include((err as Error).message, SAID)
    logger.warn({ err }, 'no vectors')
    assert.include(text(), 'E_EMBEDDING_FAILED')
    assert.notInclude(text(), 'secret')
  })

  test('keeps every error that quotes nobody', ({ assert }) => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const error = new E_GATEWAY_FAILED(undefined, { cause })
    assert.strictEqual(loggedError(error), error)
    assert.strictEqual(loggedError('text'), 'text')
    const circular = new Error('round')
    circular.cause = circular
    assert.strictEqual(loggedError(circular), circular)
  })

  test('keeps what Mosaic itself says around such words', ({ assert }) => {
    const { logger, text } = log()
    logger.warn({ err: new E_GATEWAY_FAILED(undefined, { cause: gatewayRefusal() }) }, 'failed')
    assert.include(JSON.parse(text()).err.message, E_GATEWAY_FAILED.message)
  })
})

test.group('The person', () => {
  test('reads what a gateway or a provider said', ({ assert }) => {
    for (const kind of ['a run that failed', 'a provider of a run', 'a refused request']) {
      const error = QUOTING[kind]()
      loggedError(error)
      assert.include(toAnswer(error).errors[0].message, SAID)
    }
  })
})
