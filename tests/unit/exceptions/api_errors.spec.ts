import vine from '@vinejs/vine'
import { test } from '@japa/runner'
import string from '@adonisjs/core/helpers/string'
import { Exception } from '@adonisjs/core/exceptions'
import bodyParserConfig, { FILES_BODY_BYTES } from '#config/bodyparser'
import { toAnswer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'

class E_BUSY extends Exception {
  static override code = 'E_BUSY'
  static override status = 503
  static override message = 'It is busy.'
  static override help = 'Try again soon.'
  retryAfterSec?: number
}

test.group('What an answer tells of an error', () => {
  test('an unexpected failure tells nothing of itself', ({ assert }) => {
    const failures = [
      new Error('select * from users where password_hash = canary'),
      Object.assign(new Error('canary'), { status: 502 }),
      new Exception('canary', { code: 'E_SOMETHING', status: 500 }),
      'canary',
      null,
    ]
    for (const failure of failures) {
      const answer = toAnswer(failure)
      assert.equal(answer.status, 500)
      assert.equal(answer.errors[0].code, 'E_INTERNAL')
      assert.notInclude(JSON.stringify(answer), 'canary')
    }
  })

  test('a request that is too large is told the limits of both body parsers', ({ assert }) => {
    const [{ hint }] = toAnswer(
      new Exception('', { code: 'E_REQUEST_ENTITY_TOO_LARGE', status: 413 })
    ).errors
    for (const bytes of [string.bytes.parse(bodyParserConfig.json.limit), FILES_BODY_BYTES]) {
      assert.include(hint, ` ${bytes! / 1024 / 1024} MB`)
    }
  })

  test('what PostgreSQL cannot keep is the fault of the request', ({ assert }) => {
    const message = 'insert into users (name) values ($1) - invalid byte sequence: 0x00 canary'
    const failure = Object.assign(new Error(message), { code: '22021', severity: 'ERROR' })
    const answer = toAnswer(failure)
    assert.equal(answer.status, 400)
    assert.equal(answer.errors[0].code, 'E_BAD_REQUEST')
    assert.notInclude(JSON.stringify(answer), 'canary')
  })

  test('a full disk is told, however deep it lies', ({ assert }) => {
    const sqlite = Object.assign(new Error('insert canary'), { code: 'SQLITE_FULL' })
    const postgres = Object.assign(new Error('insert canary'), { code: '53100' })
    const file = new Error('write canary', {
      cause: Object.assign(new Error(), { code: 'ENOSPC' }),
    })
    for (const failure of [sqlite, postgres, file]) {
      const answer = toAnswer(failure)
      assert.equal(answer.status, 503)
      assert.equal(answer.errors[0].code, 'E_DISK_FULL')
      assert.notInclude(JSON.stringify(answer), 'canary')
    }
  })

  test('a database that does not answer is told, whatever words it has for that', ({ assert }) => {
    const failures = [
      Object.assign(new Error('select canary - terminating connection'), { code: '57P01' }),
      Object.assign(new Error('the database system is starting up'), { code: '57P03' }),
      new Error('select canary - Connection terminated unexpectedly'),
      Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }),
      Object.assign(new Error('acquire canary'), { name: 'KnexTimeoutError' }),
      Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' }),
    ]
    for (const failure of failures) {
      const answer = toAnswer(failure)
      assert.equal(answer.status, 503)
      assert.equal(answer.errors[0].code, 'E_DATABASE_AWAY')
      assert.isNumber(answer.retryAfterSec)
      assert.notInclude(JSON.stringify(answer), 'canary')
    }
  })

  test('another service that does not answer is not taken for the database', ({ assert }) => {
    const refused = { code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 9 }
    const reset = { code: 'ECONNRESET', syscall: 'read' }
    const failures = [
      Object.assign(new Error('connect ECONNREFUSED'), refused),
      new TypeError('fetch failed', { cause: Object.assign(new Error('read ECONNRESET'), reset) }),
    ]
    for (const failure of failures) assert.equal(toAnswer(failure).errors[0].code, 'E_INTERNAL')
  })

  test('each invalid field is told by name', async ({ assert }) => {
    const schema = vine.create({ name: vine.string(), age: vine.number() })
    const [error] = await schema.tryValidate({ age: 'x' })
    const { status, errors } = toAnswer(error)
    assert.equal(status, 422)
    assert.deepEqual(
      errors.map(({ code, field }) => [code, field]),
      [
        ['E_VALIDATION_ERROR', 'name'],
        ['E_VALIDATION_ERROR', 'age'],
      ]
    )
  })

  test('a foreseen failure tells its sentence and the next step', ({ assert }) => {
    const answer = toAnswer(new E_BUSY())
    assert.deepEqual(answer, {
      status: 503,
      errors: [{ code: 'E_BUSY', message: 'It is busy.', hint: 'Try again soon.' }],
      retryAfterSec: 5,
    })
  })

  test('the time to wait is whole seconds, at least one', ({ assert }) => {
    const busy = new E_BUSY()
    busy.retryAfterSec = 0.2
    assert.equal(toAnswer(busy).retryAfterSec, 1)
    const limited = Object.assign(
      new Exception('x', { code: 'E_TOO_MANY_REQUESTS', status: 429 }),
      {
        response: { availableIn: 42 },
      }
    )
    const answer = toAnswer(limited)
    assert.equal(answer.retryAfterSec, 42)
    assert.equal(answer.errors[0].message, 'That was tried too often.')
  })

  test('how long a model is away is told as its service said, else as a few seconds', ({
    assert,
  }) => {
    for (const status of [429, 503]) {
      const failure = Object.assign(new E_BUSY(), { code: 'E_MODEL_AWAY', status })
      assert.equal(toAnswer(failure).retryAfterSec, 5)
      assert.equal(toAnswer(Object.assign(failure, { retryAfterSec: 7 })).retryAfterSec, 7)
    }
  })

  test('what cannot be read is 400', ({ assert }) => {
    assert.equal(toAnswer(Object.assign(new SyntaxError('x'), { status: 400 })).status, 400)
    assert.equal(toAnswer(new Exception('strict', { status: 422 })).status, 400)
  })
})

test.group("OpenAI's shape of an error", () => {
  const shapeOf = (status: number, code = 'E_CODE') =>
    toOpenAiError({ status, errors: [{ code, message: 'What happened.', hint: 'What to do.' }] })
      .error

  test('has the types that its clients know', ({ assert }) => {
    const types = [400, 401, 403, 404, 413, 429, 500, 503].map((status) => shapeOf(status).type)
    assert.deepEqual(types, [
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'not_found_error',
      'invalid_request_error',
      'rate_limit_error',
      'server_error',
      'server_error',
    ])
    assert.equal(shapeOf(401).code, 'invalid_api_key')
    assert.equal(shapeOf(429).code, 'rate_limit_exceeded')
    assert.equal(shapeOf(503, 'E_AGENT_NO_PROVIDER').code, 'E_AGENT_NO_PROVIDER')
  })

  test('holds the next step in its one message', ({ assert }) => {
    assert.equal(shapeOf(400).message, 'What happened. What to do.')
    assert.isNull(shapeOf(400).param)
  })
})
