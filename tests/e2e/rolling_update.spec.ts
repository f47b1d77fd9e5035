import { once } from 'node:events'
import { test } from '@japa/runner'
import { Child } from '../../bench/child.js'
import { freePort } from '#tests/free_port'
import { newInstallation, type Installation } from '../../bench/environment.js'
import { PrivatePostgres } from '../runner/postgres.mjs'
import { Balancer } from '#tests/e2e/balancer'

const STREAMS = 200

/** An answer takes ten seconds: as many words, each so long after the last. */
const WORDS = Array.from({ length: 20 }, (_, index) => `word${index}`).join(' ')
const WORD_MS = 500

/** The same for all replicas: the drain outlasts every answer. */
const SHARED = {
  INTERNAL_URL: 'http://127.0.0.1:3334',
  SHUTDOWN_NOTICE_SEC: '1',
  SHUTDOWN_DRAIN_SEC: '120',
}

/** An idle machine takes less than a minute. */
const DEADLINE_MS = 10 * 60_000

type Replica = Child<{ url: string }>

const fileOf = (path: string) => new URL(path, import.meta.url)

test.group('A rolling update of Mosaic', (group) => {
  const open: { stop(): unknown }[] = []
  let installation: Installation
  let world: Child<{ port: number }>
  let balancer: Balancer

  group.setup(async () => {
    const postgres = new PrivatePostgres()
    open.push(postgres)
    await postgres.start()
    const url = await postgres.newDatabase('mosaic_rolling')
    installation = await newInstallation(postgres.bySocket(url))
    open.push({ stop: () => installation.remove() })
    world = await Child.start(fileOf('../../chaos/processes/world.ts'), {
      args: [JSON.stringify({ chunkDelayMs: WORD_MS })],
    })
    open.push(world)
    balancer = new Balancer()
    await balancer.start()
    open.push(balancer)
  })
  group.teardown(async () => {
    for (const each of open.toReversed()) await each.stop()
  })

  /** Starts one more replica; it gets its share of the requests. */
  async function addReplica(): Promise<Replica> {
    const ports = { PORT: String(await freePort()), INTERNAL_PORT: String(await freePort()) }
    const replica: Replica = await Child.start(fileOf('replica.ts'), {
      args: [`http://127.0.0.1:${world.ready.port}`],
      env: { ...installation.env, ...ports, ...SHARED },
    })
    open.push(replica)
    return replica
  }

  test('drops none of 200 open streams', async ({ assert }) => {
    const first = await addReplica()
    const token = await first.ask<string>('prepare')
    const [second, ...successors] = await Promise.all([addReplica(), addReplica(), addReplica()])
    for (const { ready } of [first, second]) await balancer.add(ready.url)

    const failures: string[] = []
    let isOver = false
    let whole = 0
    /** One client, who asks again as soon as it has its answer. */
    const converse = async (name: string) => {
      for (let turn = 1; !isOver; turn++) {
        const said = await answerOf(`${balancer.url}/v1/chat/completions`, token, name)
        if (said === `Turn ${turn}: ${WORDS}`) whole++
        else return void failures.push(`${name}, turn ${turn}: ${said}`)
      }
    }
    const clients = Array.from({ length: STREAMS }, (_, index) => converse(`client-${index}`))

    for (const replica of [first, second]) {
      const { url } = replica.ready
      await balancer.add(successors.pop()!.ready.url)
      const isLoaded = () => balancer.open >= STREAMS && balancer.openAt(url) > 0
      while (!isLoaded() && failures.length === 0) await pause(10)
      const exit = once(replica.process, 'exit')
      replica.process.kill('SIGTERM')
      assert.equal(await noLongerReady(url), 503)
      const [status] = await exit
      assert.equal(status, 0)
      assert.equal(balancer.openAt(url), 0)
    }
    isOver = true
    await Promise.all(clients)
    assert.deepEqual(failures, [])
    assert.isAtLeast(whole, STREAMS)
  }).timeout(DEADLINE_MS)
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Returns the first answer about its readiness that is not good. */
async function noLongerReady(url: string): Promise<number> {
  for (;;) {
    const { ok, status } = await fetch(`${url}/health/ready`)
    if (!ok) return status
    await pause(10)
  }
}

/** Returns the text of a whole answer; of any other, what came. */
async function answerOf(url: string, token: string, user: string): Promise<string> {
  const messages = [{ role: 'user', content: WORDS }]
  let came = ''
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'mosaic', messages, user, stream: true }),
    })
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) came += chunk
    const events = [...came.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data))
    if (!came.endsWith('data: [DONE]\n\n') || events.some(({ error }) => error)) return came
    return events.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
  } catch (error) {
    return `${came}${error}`
  }
}
