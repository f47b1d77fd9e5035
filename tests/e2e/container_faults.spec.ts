import { test } from '@japa/runner'
import type { Assert } from '@japa/assert'
import type { AgentView } from '#agents/types'
import type { ContainerInspectInfo } from 'dockerode'
import app from '@adonisjs/core/services/app'
import { Api, eventsOf, textOf } from '#tests/e2e/api'
import { ContainerHome } from '#tests/e2e/container_home'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { testEngine, type Engine } from '#tests/engine/engine'

const GATEWAY_PORT = 18789

/**
 * Maximum time to notice a status. Within a second if the engine reports it; a sweep or a busy machine takes
 * longer.
 */
const NOTICED_MS = 60_000
const LOOK_EVERY_MS = 100

/** Long enough to be cut midway, at one word per 200 ms. */
const LONG_MESSAGE = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ')
const SLOWLY = { chunkDelayMs: 200 }

/** Start of the first piece of an answer. */
const DELTA = 'event: delta'

const silent = { line() {}, strong: String, quiet: String, link: String }

const given = testEngine()
if (given) faultsOn(given)

function faultsOn(engine: Engine): void {
  const { docker } = engine
  const home = new ContainerHome(engine)

  test.group('An agent in a container, when something goes wrong', (group) => {
    let mosaic: MosaicProcess
    let api: Api
    let name: string
    let conversation: string

    group.setup(async () => {
      mosaic = new MosaicProcess()
      await mosaic.prepare(home.env)
      await mosaic.ace('migration:run', '--force')
      for (const [key, value] of Object.entries({
        'runtime.driver': 'docker',
        'runtime.image': engine.gatewayImage,
        'runtime.memoryMb': 256,
      })) {
        await mosaic.ace('settings:set', key, JSON.stringify(value))
      }
      await mosaic.start()
      const { answerSetup } = await import(app.makePath('bin/setup/demo.mjs'))
      await answerSetup({ server: mosaic, terminal: silent })
      const { token } = await mosaic.aceJson<{ token: string }>('token:create', 'admin')
      api = new Api(mosaic.url, token)
      const { id } = await api.ask<{ id: string }>('GET', '/api/v1/me')
      name = `mosaic-user-${id}`
      return async () => {
        await mosaic.end()
        await home.close()
      }
    })
    /** Each test starts with a running agent that has had one exchange. */
    group.each.setup(async () => {
      await wake()
      const { data } = (await api.chat('Remember this.')).at(-1)!
      conversation = data.conversationId!
    })

    const container = (): Promise<ContainerInspectInfo> => docker.getContainer(name).inspect()

    async function seen(wanted: { status: string; reason?: string }): Promise<AgentView> {
      const deadline = Date.now() + NOTICED_MS
      for (;;) {
        const agent = await api.ask<AgentView>('GET', '/api/v1/agent')
        if (agent.status === wanted.status && agent.reason === wanted.reason) return agent
        if (Date.now() > deadline) {
          throw new Error(`It is ${JSON.stringify(agent)}, not ${JSON.stringify(wanted)}`)
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      }
    }

    async function wake(): Promise<void> {
      await api.ask('POST', '/api/v1/agent/start')
      await seen({ status: 'running' })
    }

    async function sleep(): Promise<void> {
      await api.ask('POST', '/api/v1/agent/stop')
      await seen({ status: 'stopped' })
    }

    /** Instructs the double in the container. A double that dies of it sends no response. */
    async function tell(knob: string, input: object): Promise<void> {
      const { Networks } = (await container()).NetworkSettings
      const [{ IPAddress }] = Object.values(Networks)
      await fetch(`http://${IPAddress}:${GATEWAY_PORT}${knob}`, {
        method: 'POST',
        body: JSON.stringify(input),
      }).catch(() => {})
    }

    /** Sends a message, and runs an action once the answer contains these words. */
    async function cut(message: string, words: string, act: () => Promise<void>) {
      const body = { message, conversationId: conversation }
      const answer = await api.raw('POST', '/api/v1/chat', body)
      let heard = ''
      let acted: Promise<void> | null = null
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream() as never)) {
        heard += chunk
        if (heard.includes(words)) acted ??= act()
      }
      await acted
      return eventsOf(heard)
    }

    /** Asserts that the next wake works, in one container, and that the agent remembers. */
    async function assertWakes(assert: Assert): Promise<void> {
      await wake()
      const events = await api.chat('Are you there?', conversation)
      assert.equal(events.at(-1)!.event, 'done', JSON.stringify(events))
      const { messages } = await api.ask<{ messages: { text: string }[] }>(
        'GET',
        `/api/v1/conversations/${conversation}`
      )
      assert.equal(messages[0].text, 'Remember this.')
      assert.lengthOf(await home.running(), 1)
    }

    if (engine.isPrivate) {
      test('the engine is killed in the middle of a wake', async ({ assert }) => {
        await sleep()
        const events = await cut('Wake up.', '"provisioning"', () => engine.kill())
        try {
          assert.containsSubset(events.at(-1), {
            event: 'error',
            data: { code: 'E_AGENT_ENGINE_UNREACHABLE' },
          })
          await seen({ status: 'error', reason: 'engine_unreachable' })
        } finally {
          await engine.start()
        }
        await assertWakes(assert)
      }).timeout(200_000)

      test('the engine is killed in the middle of an answer, which goes on', async ({ assert }) => {
        await tell('/faults', SLOWLY)
        const events = await cut(LONG_MESSAGE, DELTA, () => engine.kill())
        try {
          assert.equal(events.at(-1)!.event, 'done', JSON.stringify(events.at(-1)))
          assert.include(textOf(events), LONG_MESSAGE)
          await seen({ status: 'running' })
        } finally {
          // On its start, the engine stops containers that ran without it.
          await engine.start()
        }
        await seen({ status: 'error', reason: 'exited_early' })
        await assertWakes(assert)
      }).timeout(200_000)

      test('the engine is started anew in the middle of an answer, which ends', async ({
        assert,
      }) => {
        await tell('/faults', SLOWLY)
        const events = await cut(LONG_MESSAGE, DELTA, async () => {
          await engine.kill()
          await engine.start()
        })
        assert.notInclude(textOf(events), LONG_MESSAGE)
        const { event, data } = events.at(-1)!
        assert.equal(event, 'error')
        assert.match(data.code!, /^E_/)
        assert.isNotEmpty(data.message)
        await seen({ status: 'error', reason: 'exited_early' })
        await assertWakes(assert)
      }).timeout(200_000)
    }

    test('its memory is full', async ({ assert }) => {
      await tell('/hog', { megabytes: 400 })
      const { hint } = await seen({ status: 'error', reason: 'out_of_memory' })
      assert.match(hint!, /memory/)
      const { State } = await container()
      assert.isTrue(State.OOMKilled)
      await assertWakes(assert)
    }).timeout(120_000)

    test('its container is removed by hand', async ({ assert }) => {
      await docker.getContainer(name).remove({ force: true })
      await seen({ status: 'error', reason: 'exited_early' })
      await assertWakes(assert)
    }).timeout(120_000)

    test('something else has its name', async ({ assert }) => {
      await sleep()
      await docker.getContainer(name).remove({ force: true }).catch(gone)
      const other = await docker.createContainer({
        name,
        Image: engine.gatewayImage,
        Cmd: ['sleep', '600'],
        HostConfig: { Init: true },
      })
      await other.start()
      const before = await other.inspect()

      const events = await api.chat('Wake up.', conversation)
      assert.containsSubset(events.at(-1), { event: 'error', data: { code: 'E_AGENT_INTERNAL' } })
      await seen({ status: 'error', reason: 'internal' })
      assert.deepEqual((await other.inspect()).State, before.State)

      await other.remove({ force: true })
      await assertWakes(assert)
    }).timeout(120_000)
  })
}

/** Ignores a missing container: a stop may or may not keep it. */
function gone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404) throw error
}
