import { readdirSync, readFileSync } from 'node:fs'
import { Connection } from './load.js'
import type { Mosaic } from './mosaic.js'
import { heldStream } from './relay_ways.js'
import { result, type Result } from './result.js'

const STREAMS = 2000
const MINUTE_MS = 60_000
/** Opened at a time: more would only queue. */
const AT_ONCE = 50
/** Until closed connections are gone from the process. */
const CLOSE_MS = 3000
/** Memory and descriptors at the end, against the start. */
const FLAT = 1.05
const MEGABYTE = 1024 * 1024

interface Seen {
  bytes: number
  descriptors: number
}

/** Keeps many streams open for a minute, each with its heartbeats, and looks at the web process meanwhile. */
export async function openStreams(mosaic: Mosaic): Promise<Result[]> {
  const pid = mosaic.child.process.pid!
  const before = await look(mosaic, pid)
  const held = heldStream(mosaic)
  const connections: Connection[] = []
  while (connections.length < STREAMS) {
    const opened = await Promise.all(Array.from({ length: AT_ONCE }, () => Connection.open(held)))
    await Promise.all(opened.map((connection) => connection.begin()))
    connections.push(...opened)
  }
  const seen: Seen[] = [await look(mosaic, pid)]
  for (let half = 0; half < 2; half++) {
    await sleep(MINUTE_MS / 2)
    seen.push(await look(mosaic, pid))
  }
  for (const connection of connections) connection.close()
  await sleep(CLOSE_MS)
  const after = await look(mosaic, pid)
  const [start, , end] = seen
  return [
    result({
      id: 'relay.streams.memory',
      unit: 'MB',
      value: end.bytes / MEGABYTE,
      baseline: start.bytes / MEGABYTE,
      target: `<= ${FLAT} of the start`,
      ok: end.bytes <= FLAT * start.bytes,
      note: `resident memory with ${STREAMS} open streams, after a minute against its start; start, middle, end: ${listed(seen.map(({ bytes }) => bytes / MEGABYTE))}; before ${round(before.bytes / MEGABYTE)}, after ${round(after.bytes / MEGABYTE)}`,
    }),
    result({
      id: 'relay.streams.fds',
      unit: 'descriptors',
      value: end.descriptors,
      baseline: start.descriptors,
      target: `<= ${FLAT} of the start`,
      ok: end.descriptors <= FLAT * start.descriptors,
      note: `start, middle, end: ${listed(seen.map(({ descriptors }) => descriptors))}; before ${before.descriptors}, after all have left ${after.descriptors}`,
    }),
  ]
}

/** Looks after a garbage collection, so that its moment does not matter. */
async function look(mosaic: Mosaic, pid: number): Promise<Seen> {
  await mosaic.child.ask<number>('memory')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024
  return { bytes, descriptors: readdirSync(`/proc/${pid}/fd`).length }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const round = (value: number) => Math.round(value)
const listed = (values: number[]) => values.map(round).join(', ')
