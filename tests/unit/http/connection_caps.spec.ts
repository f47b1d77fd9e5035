import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { capConnections, ConnectionCaps } from '#http/connection_caps'

/** A connection as far as it is counted. */
class Connection extends EventEmitter {
  destroyed = false
  constructor(readonly remoteAddress: string) {
    super()
  }
  destroy() {
    this.destroyed = true
    this.emit('close')
  }
}

test.group('Connections of agents', () => {
  function opener(limits: { total: number; perAddress: number }) {
    const caps = new ConnectionCaps(limits)
    return (address: string) => {
      const connection = new Connection(address)
      caps.admit(connection as unknown as Socket)
      return connection
    }
  }

  test('are so many of one address, and leave the others theirs', ({ assert }) => {
    const open = opener({ total: 10, perAddress: 2 })
    const first = open('198.18.0.2')
    open('198.18.0.2')
    assert.isTrue(open('198.18.0.2').destroyed)
    assert.isFalse(open('198.18.0.3').destroyed)
    first.destroy()
    assert.isFalse(open('198.18.0.2').destroyed)
    assert.isTrue(open('198.18.0.2').destroyed)
  })

  test('are so many of all, whatever address they have', ({ assert }) => {
    const open = opener({ total: 3, perAddress: 2 })
    const all = ['198.18.0.2', '198.18.0.2', '198.18.0.3', '198.18.0.4'].map(open)
    assert.deepEqual(
      all.map(({ destroyed }) => destroyed),
      [false, false, false, true]
    )
    all[0].destroy()
    assert.isFalse(open('198.18.0.4').destroyed)
  })

  test('are counted together on loopback, where callers share an address', ({ assert }) => {
    const open = opener({ total: 3, perAddress: 1 })
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
      assert.isFalse(open(address).destroyed)
    }
    assert.isTrue(open('127.0.0.1').destroyed)
  })

  test('are ended by a server before it answers them, and no other is', async ({
    assert,
    cleanup,
  }) => {
    const server = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1')
    capConnections(server, { total: 2, perAddress: 1 })
    await once(server, 'listening')
    const sockets: Socket[] = []
    cleanup(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const opened = async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
      socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n')
      return Promise.race([
        once(socket, 'data').then(() => 'answered'),
        once(socket, 'close').then(() => 'ended'),
      ])
    }
    assert.equal(await opened(), 'answered')
    assert.equal(await opened(), 'answered')
    assert.equal(await opened(), 'ended')
    const left = once(sockets[0], 'close')
    sockets[0].end()
    await left
    assert.equal(await opened(), 'answered')
  })
})
