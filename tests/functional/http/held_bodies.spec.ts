import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { baseUrl } from '#tests/doubles/chat_surface'
import { until } from '#tests/doubles/test_clock'

const MEGABYTE = 1024 * 1024

test.group('Bodies before anybody has signed in', (group) => {
  const sockets: Socket[] = []

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.teardown(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  const signIn = async (localAddress?: string, forwardedFor?: string): Promise<number> => {
    const body = JSON.stringify({ username: 'nobody', password: 'nothing' })
    const socket = await open(localAddress)
    socket.write(
      `POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json\r\n` +
        (forwardedFor ? `x-forwarded-for: ${forwardedFor}\r\n` : '') +
        `connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    )
    const [bytes] = await once(socket, 'data')
    return Number(String(bytes).split(' ')[1])
  }

  async function open(localAddress?: string): Promise<Socket> {
    const { hostname, port } = new URL(baseUrl())
    const socket = connect({ host: hostname, port: Number(port), localAddress })
    sockets.push(socket.on('error', () => {}))
    await once(socket, 'connect')
    return socket
  }

  /** Sends the start of a body and then nothing more. */
  async function hold(headers: string): Promise<void> {
    const socket = await open()
    socket.write(
      `POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
        `${headers}\r\n\r\n`
    )
  }

  for (const [what, headers] of [
    ['of a told length', `content-length: ${MEGABYTE}`],
    ['in pieces', 'transfer-encoding: chunked'],
  ]) {
    test(`of one address are held so far and no further: ${what}`, async ({ assert }) => {
      assert.notEqual(await signIn(), 429)
      for (let at = 0; at < 16; at++) await hold(headers)
      await until(async () => (await signIn()) === 429)
      assert.notEqual(await signIn('127.0.0.2'), 429)
      for (const socket of sockets.splice(0)) socket.destroy()
      await until(async () => (await signIn()) !== 429)
    })
  }

  test('of senders who left before they were counted are not held', async ({ assert, cleanup }) => {
    const proceed = Promise.withResolvers<void>()
    const get = settings.get
    let waiting = 0
    let passed = 0
    settings.get = async (key) => {
      if (key !== 'network.trustedProxies') return get.call(settings, key)
      waiting++
      await proceed.promise
      passed++
      return ['127.0.0.0/8'] as never
    }
    cleanup(() => {
      settings.get = get
      proceed.resolve()
    })
    const requests: IncomingMessage[] = []
    const server = (await app.container.make('server')).getNodeServer()!
    /** A closed socket tells an address only if somebody asked for it before, as the limit of connections does. */
    const keep = (request: IncomingMessage) => {
      assert.exists(request.socket.remoteAddress)
      requests.push(request)
    }
    server.on('request', keep)
    cleanup(() => void server.off('request', keep))

    const sender = '203.0.113.1'
    const headers = `x-forwarded-for: ${sender}\r\ncontent-length: ${MEGABYTE}`
    for (let at = 0; at < 16; at++) await hold(headers)
    await until(() => waiting === 16)
    for (const socket of sockets.splice(0)) socket.destroy()
    await until(() => requests.every(({ closed }) => closed))
    proceed.resolve()
    await until(() => passed === 16)
    assert.notEqual(await signIn(undefined, sender), 429)
  })

  test('are read as they are sent, as a compressed one holds more than it announces: {$self}')
    .with(['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'identity, gzip', 'x-unknown'])
    .run(async ({ assert }, encoding) => {
      for (const path of ['/api/v1/session', '/api/v1/onboarding/breakglass', '/login']) {
        const response = await fetch(`${baseUrl()}${path}`, {
          method: 'POST',
          headers: {
            'accept': 'application/json',
            'content-type': 'application/json',
            'content-encoding': encoding,
          },
          body: gzipSync(JSON.stringify({ username: 'nobody', password: 'x'.repeat(500_000) })),
        })
        assert.equal(response.status, 415)
        const { errors } = (await response.json()) as { errors: { code: string }[] }
        assert.equal(errors[0].code, 'E_COMPRESSED_BODY')
      }
    })
})
