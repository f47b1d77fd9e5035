import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from '@japa/runner'
import { limitRequests, RequestRate } from '#http/request_rate'

test.group('Requests of agents', () => {
  test('are so many of one address in a second, and leave the others theirs', ({ assert }) => {
    let now = 0
    const rate = new RequestRate({ perSecond: 10, burst: 3 }, () => now)
    const taken = (address: string, times: number) =>
      Array.from({ length: times }, () => rate.take(address)).filter(Boolean).length
    assert.equal(taken('198.18.0.2', 10), 3)
    assert.equal(taken('198.18.0.3', 2), 2)
    now += 200
    assert.equal(taken('198.18.0.2', 10), 2)
    now += 60_000
    assert.equal(taken('198.18.0.2', 10), 3)
  })

  test('are not counted on loopback, where callers share an address', ({ assert }) => {
    const rate = new RequestRate({ perSecond: 1, burst: 1 }, () => 0)
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
      assert.isTrue(rate.take(address) && rate.take(address))
    }
  })

  test('are not limited without a rate', ({ assert }) => {
    let now = 0
    const rate = new RequestRate({ perSecond: Infinity, burst: 2 }, () => (now += 1))
    assert.isTrue(Array.from({ length: 100 }, () => rate.take('10.0.0.1')).every(Boolean))
  })

  test('are still counted of an address that asks while many others come and go', ({ assert }) => {
    let now = 0
    const rate = new RequestRate({ perSecond: 1, burst: 2 }, () => now)
    assert.isTrue(rate.take('198.18.0.2') && rate.take('198.18.0.2'))
    for (let at = 0; at < 10_000; at++) rate.take(`198.19.${at >> 8}.${at & 255}`)
    assert.isFalse(rate.take('198.18.0.2'))
    now += 1000
    assert.isTrue(rate.take('198.18.0.2'))
  })

  test('are refused by the server before the listener sees them', ({ assert }) => {
    const seen: string[] = []
    const listen = limitRequests((request) => void seen.push(request.url!), {
      perSecond: 1,
      burst: 1,
    })
    const request = (url: string) =>
      Object.assign(new EventEmitter(), { url, socket: { remoteAddress: '198.18.0.2' } })
    const told: unknown[] = []
    const response = {
      writeHead: (status: number, headers: object) => (told.push([status, headers]), response),
      end: (body: string) => void told.push(JSON.parse(body).errors[0].code),
    }
    for (const url of ['/1', '/2']) {
      listen(
        request(url) as unknown as IncomingMessage,
        response as unknown as ServerResponse & { req: IncomingMessage }
      )
    }
    assert.deepEqual(seen, ['/1'])
    assert.containSubset(told, [[429, { connection: 'close' }], 'E_TOO_MANY_REQUESTS'])
  })
})
