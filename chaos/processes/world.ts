/**
 * Everything that outlives the replicas: the memory driver's runtime, and the documents that other drivers'
 * agents fetch. Counts violations. Its argument, if any, is JSON: how all agents behave.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as after } from 'node:timers/promises'
import { Secret } from '@adonisjs/core/helpers'
import { ProcessDriver } from '#runtimes/drivers/process/driver'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import { type RuntimeError } from '#runtimes/errors'
import { WORLD_INSTALLATION, type WorldAnswer } from '../remote_driver.js'

/** A start takes time, so that a replica can die in the middle of one. */
const START_MS = 150
const BOOT_MS = 80
const STOP_MS = 60
const PAGE_OUT_MS = 5000

/** Verbs that change an instance: no two replicas may use them on one agent at a time. */
const CHANGES = new Set(['ensure', 'stop', 'suspend', 'resume', 'remove'])

const GB = 1024 ** 3

const world = new MemoryWorld()
world.machine = { total: 24 * GB, available: 16 * GB, swapTotal: 1 * GB, swapFree: 1 * GB }
const driver = new MemoryDriver({ world }, WORLD_INSTALLATION)
const behaviour = JSON.parse(process.argv[2] ?? '{}') as object
driver.behave('*', { startMs: START_MS, bootMs: BOOT_MS, ...behaviour })

/** The replica that is changing each instance, and how. A dead replica is removed at once. */
const changing = new Map<string, { replicaId: string; verb: string; since: number }>()
const making = new Map<string, AbortController>()
/** Where two replicas changed one instance at the same time, one sentence each. */
const overlaps: string[] = []

type Input = Record<string, never> & { name: string; replicaId: string }

const VERBS: Record<string, (input: Input) => Promise<unknown>> = {
  ensure: ({ spec, token }: Input) => {
    const { signal } = started((spec as { name: string }).name)
    return driver.ensure({ ...(spec as object), token: new Secret(token) } as never, { signal })
  },
  giveUp: async ({ name }) => making.get(name)?.abort(),
  stop: async (ref) => {
    await after(STOP_MS)
    await driver.stop(ref as never)
  },
  suspend: (ref) => driver.suspend(ref as never),
  resume: (ref) => driver.resume(ref as never),
  pageOut: (ref) => driver.pageOut(ref as never, { signal: AbortSignal.timeout(PAGE_OUT_MS) }),
  inspect: (ref) => driver.inspect(ref as never),
  list: () => Array.fromAsync(driver.list()),
  remove: (ref) => driver.remove(ref as never),
  purge: (ref) => driver.purge(ref as never),
}

function started(name: string): AbortController {
  const controller = new AbortController()
  making.set(name, controller)
  return controller
}

async function answer(verb: string, input: Input, response: ServerResponse): Promise<WorldAnswer> {
  const name = input.name ?? (input.spec as { name: string } | undefined)?.name
  const end = CHANGES.has(verb) ? begin(verb, name, input.replicaId) : () => {}
  response.once('close', end)
  try {
    return { value: (await VERBS[verb](input)) ?? null }
  } catch (error) {
    const { reason = 'internal', message } = error as RuntimeError
    return { reason, message }
  } finally {
    end()
  }
}

/** Notes that a replica changes an instance until the returned function is called. */
function begin(verb: string, name: string, replicaId: string): () => void {
  const other = changing.get(name)
  if (other && other.replicaId !== replicaId) {
    const ms = Math.round(performance.now() - other.since)
    overlaps.push(`${name}: "${verb}" of one replica ${ms} ms into "${other.verb}" of another`)
  }
  const own = { replicaId, verb, since: performance.now() }
  changing.set(name, own)
  return () => {
    if (changing.get(name) === own) changing.delete(name)
  }
}

const server = createServer(async (request, response) => {
  const verb = /^\/world\/(\w+)$/.exec(request.url!)?.[1]
  response.setHeader('content-type', 'application/json')
  if (!verb)
    return response.end(JSON.stringify(request.url!.endsWith('/files') ? { files: [] } : {}))
  const input = (await json(request)) as Input
  response.end(JSON.stringify(await answer(verb, input, response)))
})
/** Sandboxed agents reach only the gate of their folder. */
const storage = process.env.MOSAIC_CHAOS_STORAGE
if (storage) {
  const agents = new ProcessDriver({ storage, openclaw: [], entrypoint: '' }, WORLD_INSTALLATION)
  const listener = await (await agents.callback())?.open?.()
  listener?.on('connection', (socket) => server.emit('connection', socket))
}
server.listen(0, '0.0.0.0', () => {
  process.send!({ ready: { port: (server.address() as AddressInfo).port } })
})

/** Returns one sentence per duplicate or overlap. */
function doubles(): string[] {
  const twins = [...world.instances.keys()].filter((name) => world.counts(name).mostAlive > 1)
  return [...twins.map((name) => `${name} had two instances at the same time`), ...overlaps]
}

process.on('message', ({ id }: { id: number }) => process.send!({ id, answer: doubles() }))
process.on('disconnect', () => process.exit())
