import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from '@japa/runner'
import { dialGatewaysWith, plainAddress } from '#runtimes/gateway_connections'

test.group('Connections to gateways', (group) => {
  group.each.teardown(() => dialGatewaysWith(async () => null))

  test('outlive an agent that resets one before anybody listens', async ({ assert }) => {
    const gateway = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    dialGatewaysWith(async () => gateway)
    const address = plainAddress('http://one.process.internal:18789')
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    setImmediate(() => gateway.destroy(reset))

    const { url, close } = await address
    await new Promise(setImmediate)
    assert.isTrue(gateway.destroyed)
    const client = connect(Number(new URL(url).port), '127.0.0.1')
    client.on('error', () => {})
    await once(client, 'close')
    close()
  })
})
