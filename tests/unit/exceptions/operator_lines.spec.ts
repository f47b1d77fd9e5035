import { createServer } from 'node:net'
import { test } from '@japa/runner'
import { listenFailure } from '#exceptions/listen_failure'
import { operatorLines } from '#exceptions/operator_lines'
import { tooOld } from '../../../bin/node_version.js'

const PUBLIC = { host: 'HOST', port: 'PORT' } as const

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(code), { code, ...more })

const codeOf = (error: unknown) => operatorLines(error)[0]?.split(':')[0]

test.group('What an operator reads in a terminal', () => {
  test('a database that cannot be used is named by what is wrong with it: {0}')
    .with([
      ['28P01', 'E_DATABASE_REFUSED'],
      ['3D000', 'E_DATABASE_UNKNOWN'],
      ['42P01', 'E_DATABASE_NOT_MIGRATED'],
      ['57P03', 'E_DATABASE_UNREACHABLE'],
      ['SQLITE_NOTADB', 'E_DATABASE_FILE'],
      ['SQLITE_CANTOPEN', 'E_DATABASE_FILE'],
      ['SQLITE_FULL', 'E_DISK_FULL'],
    ])
    .run(({ assert }, [said, told]) => assert.equal(codeOf(failure(said)), told))

  test('a sentence and a next step, and nothing of a defect', ({ assert }) => {
    assert.lengthOf(operatorLines(failure('28P01')), 2)
    assert.deepEqual(operatorLines(new TypeError('x is not a function')), [])
    assert.deepEqual(operatorLines('text'), [])
  })

  test('a listener that does not open is named with the variable that mends it', async ({
    assert,
  }) => {
    const bad = failure('ERR_SOCKET_BAD_PORT')
    assert.include(listenFailure(bad, PUBLIC)!.help, 'PORT=3333')

    /** An address for documentation: no machine has it. */
    const server = createServer().listen(0, '192.0.2.1')
    const [error] = await new Promise<unknown[]>((resolve) => {
      server.once('error', (...raised) => resolve(raised))
    })
    assert.equal(listenFailure(error, PUBLIC)!.code, 'E_CANNOT_LISTEN')
    assert.include(listenFailure(error, PUBLIC)!.help, 'Set HOST')
    assert.isNull(listenFailure(failure('ECONNREFUSED', { syscall: 'connect' }), PUBLIC))
  })

  test('a Node that is too old is told apart', ({ assert }) => {
    assert.include(tooOld('20.20.2'), '24.16')
    assert.isNotNull(tooOld('24.15.9'))
    for (const version of ['24.16.0', '24.21.0', '26.0.0']) assert.isNull(tooOld(version))
  })
})
