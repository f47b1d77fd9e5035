import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { noteAgentNetwork } from '#runtimes/agent_networks'
import { createHttpServer } from '#start/http_server'

test.group('The public server', () => {
  test('ends although a browser has opened a connection that it never used', async ({
    assert,
    cleanup,
  }) => {
    const server = createHttpServer((_, response) => response.end('here'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const silent = connect(port, '127.0.0.1')
    cleanup(() => void silent.destroy())
    await once(server, 'connection')

    const answer = await fetch(`http://127.0.0.1:${port}/`)
    assert.equal(await answer.text(), 'here')
    const ended = once(silent, 'close')
    await new Promise((resolve) => server.close(resolve))
    silent.resume()
    await ended
  })

  test('ends although a browser keeps the connection of a stream that ended meanwhile', async ({
    assert,
    cleanup,
  }) => {
    const asked = Promise.withResolvers<ServerResponse>()
    const server = createHttpServer((_, response) => {
      response.write('event: begun\n\n')
      asked.resolve(response)
    })
    server.keepAliveTimeout = 600_000
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const browser = connect((server.address() as AddressInfo).port, '127.0.0.1')
    cleanup(() => void browser.destroy())
    browser.write('GET /events HTTP/1.1\r\nhost: mosaic\r\n\r\n')
    const stream = await asked.promise
    await once(browser, 'data')

    const closed = new Promise((resolve) => server.close(resolve))
    const ended = once(browser.resume(), 'close')
    stream.end()
    await Promise.all([closed, ended])
    assert.isFalse(server.listening)
  })

  test('answers nobody at an address in the network of an agent', async ({ assert }) => {
    noteAgentNetwork('127.77.0.0/29')
    const server = createHttpServer((_, response) => response.end('here'))
    server.listen(0, '0.0.0.0')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const asked = (host: string) =>
      fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } }).then(
        (answer) => answer.text(),
        () => 'refused'
      )
    assert.equal(await asked('127.77.0.2'), 'refused')
    assert.equal(await asked('127.77.0.9'), 'here')
    await new Promise((resolve) => server.close(resolve))
  })
})
