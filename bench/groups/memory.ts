import { Child } from '../child.js'
import { residentAtRest } from '../compiled.js'
import { Connection, requestsWithin, target } from '../load.js'
import { Mosaic } from '../mosaic.js'
import { result, type Result } from '../result.js'

const STREAMS = 1000
/** Few, so that the warm-up does not already allocate what the many streams will need. */
const WARM_UP_CONCURRENCY = 8
const WARM_UP_MS = 3000
const MEGABYTE = 1024 * 1024
const REST_MB = 180
const STREAM_KB = 30

const CHAT = { model: 'openclaw', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
const HELD = { ...CHAT, hold: true }

/** Measures the web process's memory: after its start, and per open, waiting stream. */
export async function memoryGroup(): Promise<Result[]> {
  const gateway = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [gateway]
  try {
    const mosaic = await Mosaic.start(gateway.ready.url)
    running.push(mosaic)
    const memory = () => mosaic.child.ask<number>('memory')
    const rest = await residentAtRest()

    const { url, accessToken } = mosaic.facts
    const path = '/v1/chat/completions'
    await requestsWithin(target(url, path, accessToken, CHAT), WARM_UP_CONCURRENCY, WARM_UP_MS)
    const before = await memory()
    const held = target(url, path, accessToken, HELD)
    const connections: Connection[] = []
    for (let i = 0; i < STREAMS; i++) {
      const connection = await Connection.open(held)
      connections.push(connection)
      await connection.begin()
    }
    const perStream = (await memory()) - before
    for (const connection of connections) connection.close()
    return [
      result({
        id: 'memory.rest',
        unit: 'MB',
        value: rest / MEGABYTE,
        target: `<= ${REST_MB} MB`,
        ok: rest <= REST_MB * MEGABYTE,
        note: 'resident memory of a compiled web process, three seconds after its start',
      }),
      result({
        id: 'memory.stream',
        unit: 'kB',
        value: perStream / STREAMS / 1024,
        target: `<= ${STREAM_KB} kB`,
        ok: perStream <= STREAMS * STREAM_KB * 1024,
        note: `heap and buffers of ${STREAMS} streams that have begun and wait, both connections included`,
      }),
    ]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}
