import { test } from '@japa/runner'
import { clientHeaders, upstreamHeaders } from '#chat/headers'

test.group('Headers through the relay', () => {
  test('only what is allowed reaches the gateway, with its own token', ({ assert }) => {
    const headers = upstreamHeaders({
      client: {
        'authorization': 'Bearer mos_secret',
        'cookie': 'session=1',
        'x-openclaw-session-key': 'cron:x',
        'x-openclaw-model': 'stolen/model',
        'x-openclaw-scopes': 'operator.admin',
        'x-forwarded-for': '10.0.0.1',
        'forwarded': 'for=10.0.0.1',
        'x-real-ip': '10.0.0.1',
        'host': 'mosaic.example',
        'connection': 'close',
        'accept-encoding': 'gzip',
        'content-length': '12',
        'user-agent': 'test/1',
        'traceparent': '00-1-2-01',
      },
      token: 'gateway-token',
      sessionKey: 'web:abc',
      model: null,
    })
    assert.deepEqual(Object.fromEntries(pairs(headers)), {
      'authorization': 'Bearer gateway-token',
      'content-type': 'application/json',
      'accept': 'text/event-stream, application/json',
      'x-openclaw-session-key': 'web:abc',
      'user-agent': 'test/1',
      'traceparent': '00-1-2-01',
    })
  })

  test('only what is allowed reaches the client', ({ assert }) => {
    const headers = clientHeaders({
      'content-type': 'application/json',
      'set-cookie': ['a=b'],
      'transfer-encoding': 'chunked',
      'connection': 'keep-alive',
      'x-powered-by': 'agent',
      'retry-after': '3',
    })
    assert.deepEqual(headers, { 'content-type': 'application/json', 'retry-after': '3' })
  })
})

function pairs(flat: string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]]] : []))
}
