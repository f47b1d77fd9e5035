import { test } from '@japa/runner'
import { RelayMetrics } from '#chat/relay_metrics'

const flow = { pause() {}, resume() {} }

test.group('Metrics of the chat relay', () => {
  test('count answers, their bytes, and the time to the first one', async ({ assert }) => {
    let now = 0
    const metrics = new RelayMetrics(() => now)
    const received: string[] = []
    const answer = metrics.watch({
      begin: () => {},
      receive: (chunk) => void received.push(String(chunk)),
      end: () => {},
    })
    answer.begin(200, {}, flow)
    now = 400
    answer.receive(Buffer.from('Hel'))
    now = 9000
    answer.receive(Buffer.from('lo'))
    assert.include(await metrics.render(), 'mosaic_relay_streams 1\n')

    answer.ended()
    assert.deepEqual(received, ['Hel', 'lo'])
    const lines = (await metrics.render()).split('\n')
    for (const line of [
      'mosaic_relay_streams 0',
      'mosaic_relay_streams_total 1',
      'mosaic_relay_bytes_total 5',
      'mosaic_relay_first_byte_seconds_bucket{le="0.25"} 0',
      'mosaic_relay_first_byte_seconds_bucket{le="0.5"} 1',
      'mosaic_relay_first_byte_seconds_count 1',
    ]) {
      assert.include(lines, line)
    }
  })
})
