import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from '@japa/runner'
import { listenFailure } from '#exceptions/listen_failure'
import { createHttpServer } from '#start/http_server'
import { listenAlone } from '#start/listen_alone'
import { freePort } from '#tests/free_port'

const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1')

/** Tries to listen as a foreign program would. Returns the error code, or null on success. */
async function squat(host: string, port: number): Promise<string | null> {
  const squatter = createServer()
  const refused = once(squatter, 'error').then(([error]) => error.code as string)
  const taken = once(squatter, 'listening').then(() => null)
  squatter.listen({ host, port, exclusive: true })
  const code = await Promise.race([refused, taken])
  if (!code) squatter.close()
  return code
}

const close = (server: Server) => new Promise((resolve) => server.close(resolve))

test.group('A port of Mosaic', () => {
  for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) {
    test(`is nobody else’s in any family: ${host}`, async ({ assert }) => {
      const port = await freePort()
      const server = createHttpServer((_, response) => response.end('Mosaic'))
      server.listen(port, host)
      await once(server, 'listening')
      const others = ['127.0.0.1', '0.0.0.0', ...(HAS_IPV6 ? ['::1', '::'] : [])]
      for (const other of others) assert.equal(await squat(other, port), 'EADDRINUSE', other)
      for (const name of ['127.0.0.1', 'localhost', ...(HAS_IPV6 ? ['[::1]'] : [])]) {
        const answer = await fetch(`http://${name}:${port}/`, { headers: { connection: 'close' } })
        assert.equal(await answer.text(), 'Mosaic', name)
      }
      await close(server)
      for (const other of others) assert.isNull(await squat(other, port), `${other} after the end`)
    })
  }

  test('is waited for while the one before it ends', async ({ assert }) => {
    const port = await freePort()
    const former = createServer().listen(port, '127.0.0.1')
    await once(former, 'listening')
    const server = createHttp((_, response) => response.end('Mosaic'))
    const opened = listenAlone(server, port, '127.0.0.1')
    await wait(50)
    assert.isFalse(server.listening)
    await close(former)
    const beside = await opened
    assert.isTrue(server.listening)
    for (const one of [server, ...beside]) one.close()
  })

  test('that someone else keeps is named with who it is', async ({ assert, cleanup }) => {
    const port = await freePort()
    const host = HAS_IPV6 ? '::1' : '127.0.0.1'
    const squatter = createServer().listen(port, host)
    cleanup(() => void squatter.close())
    await once(squatter, 'listening')
    const server = createHttpServer(() => {})
    server.listen(port, '127.0.0.1')
    const [error] = await once(server, 'error')
    assert.isFalse(server.listening)
    const told = listenFailure(error, { host: 'HOST', port: 'PORT' })!
    assert.equal(told.code, 'E_PORT_TAKEN')
    const { getuid } = process
    const user = `process ${process.pid} (`
    if (process.platform === 'linux') assert.include(told.message, user)
    assert.include(told.message, `of the user with id ${getuid!()}`)
    assert.include(told.help!, `PORT=${port + 10}`)
  }).timeout(20_000)
})
