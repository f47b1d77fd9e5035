import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { test } from '@japa/runner'
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
})
