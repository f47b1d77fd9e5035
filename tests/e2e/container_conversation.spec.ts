import { buffer } from 'node:stream/consumers'
import type { ContainerInspectInfo } from 'dockerode'
import { test } from '@japa/runner'
import type { Assert } from '@japa/assert'
import { testEngine, type Engine } from '#tests/engine/engine'
import { containsAny } from '#tests/engine/canaries'
import { ServedMosaic } from '#tests/e2e/served_mosaic'
import { LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const PASSWORD = 'canary-of-the-password-6021'
const PROVIDER_KEY = 'sk-canary-of-the-provider-7733'
const ENVIRONMENT = 'canary-of-the-environment-9154'
const SAID = 'Repeat the word canarybird, please.'

/** Where an agent has its data and its token: the only places of a container that may be written or secret. */
const STATE = '/home/node/.openclaw'
const HANDED = '/run/mosaic'

/** Streams one sentence, as any service with OpenAI's API does. */
const SENTENCE = ['The canarybird ', 'says ', 'parrot.']

function speaking(): LoopbackProvider {
  const service = new LoopbackProvider()
  service.reply = (response, { url }) => {
    if (url.endsWith('/models')) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ object: 'list', data: [{ id: 'talker' }] }))
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 0,
        model: 'talker',
        choices: [{ index: 0, delta, finish_reason: finish }],
      })}\n\n`
    response.write(chunk({ role: 'assistant' }))
    for (const content of SENTENCE) response.write(chunk({ content }))
    response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`)
  }
  return service
}

const given = testEngine()
if (given) conversationOn(given)

function conversationOn(engine: Engine): void {
  const { docker, host, openclawImage } = engine
  test.group('The first conversation, with the agent in a container', (group) => {
    let mosaic: ServedMosaic
    let provider: LoopbackProvider
    let container: ContainerInspectInfo

    group.setup(async () => {
      provider = await speaking().start()
      return () => provider.stop()
    })
    group.setup(async () => {
      mosaic = await ServedMosaic.start({
        DOCKER_HOST: host,
        INTERNAL_HOST: '0.0.0.0',
        SOMETHING_ELSE: ENVIRONMENT,
      })
      return () => mosaic.stop()
    })
    group.teardown(async () => {
      for (const { Id } of await docker.listContainers({ all: true })) {
        await docker.getContainer(Id).remove({ force: true, v: true })
      }
    })

    /** Everything that nobody may find where an agent runs but in the file with its token. */
    async function canaries(): Promise<string[]> {
      const archive = await docker
        .getContainer(container.Id)
        .getArchive({ path: `${HANDED}/secrets.json` })
      const [, token] = /"token":"([^"]+)"/.exec((await buffer(archive)).toString()) ?? []
      return [token, ...outside()]
    }

    /** What no place of an agent may hold. */
    const outside = () => [PASSWORD, PROVIDER_KEY, ENVIRONMENT, mosaic.env.MOSAIC_SECRET_KEY!]

    function assertFree(assert: Assert, text: string, words: string[], where: string) {
      for (const word of words) assert.isFalse(text.includes(word), `${where} holds ${word}`)
    }

    test('is answered by the real OpenClaw, from a sleeping agent', async ({ assert }) => {
      await mosaic.setUp({ username: 'admin', password: PASSWORD })
      await mosaic.ask('PATCH', '/api/v1/admin/settings', {
        'runtime.driver': 'docker',
        'runtime.image': openclawImage,
        'network.allowedRanges': ['127.0.0.0/8'],
      })
      await mosaic.ask('POST', '/api/v1/providers', {
        type: 'custom',
        name: 'work',
        baseUrl: `${provider.url}/v1`,
        apiKey: PROVIDER_KEY,
        models: [{ id: 'talker', name: 'Talker' }],
      })
      await mosaic.ask('PUT', '/api/v1/agent-config', { primaryModel: 'work/talker' })

      const { text, events } = await mosaic.chat(SAID)
      assert.equal(text, SENTENCE.join(''), `${JSON.stringify(events)}\n${mosaic.log}`)
      const stages = events
        .filter(({ event }) => event === 'progress')
        .map(({ data }) => data.stage)
      assert.includeMembers(stages, ['provisioning', 'booting', 'ready'])
      assert.equal(events.at(-1)!.event, 'done')
      assert.isTrue(
        provider.calls.some(({ headers }) => headers.authorization === `Bearer ${PROVIDER_KEY}`)
      )

      const agent = await mosaic.ask('GET', '/api/v1/agent')
      assert.containsSubset(agent, { status: 'running', runtime: 'docker' })
      const [found, ...others] = await docker.listContainers({
        filters: { label: ['mosaic.agent'], status: ['running'] },
      })
      assert.lengthOf(others, 0)
      container = await docker.getContainer(found.Id).inspect()
    }).timeout(280_000)

    test('runs hardened', ({ assert }) => {
      const { HostConfig, Config, NetworkSettings, Mounts } = container
      assert.containsSubset(HostConfig, {
        Privileged: false,
        CapDrop: ['ALL'],
        ReadonlyRootfs: true,
        Init: true,
        PublishAllPorts: false,
        MemorySwap: HostConfig.Memory,
        RestartPolicy: { Name: 'no' },
      })
      assert.isAbove(HostConfig.Memory!, 0)
      assert.isAbove(HostConfig.PidsLimit!, 0)
      assert.isAbove(HostConfig.NanoCpus!, 0)
      assert.include(HostConfig.SecurityOpt, 'no-new-privileges')
      assert.isEmpty(HostConfig.CapAdd ?? [])
      assert.isEmpty(HostConfig.Devices ?? [])
      assert.isEmpty(Object.values(NetworkSettings.Ports).filter(Boolean))
      for (const mode of [HostConfig.NetworkMode, HostConfig.PidMode, HostConfig.IpcMode]) {
        assert.notEqual(mode, 'host')
      }
      assert.equal(Config.User, '1000:1000')
      assert.equal(Config.Hostname, container.Name.slice(1))
      const writable = Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination)
      assert.sameMembers(writable, [STATE])
      assert.isFalse(Mounts.some(({ Source }) => Source.includes('docker.sock')))
    })

    test('really has no capability and no way to get one', async ({ assert }) => {
      for (const pid of engine.processesOf(container.Id)) {
        const status = engine.readProcess(pid, 'status')
        assert.match(status, /^CapEff:\s*0+$/m)
        assert.match(status, /^CapBnd:\s*0+$/m)
        assert.match(status, /^NoNewPrivs:\s*1$/m)
        assert.match(status, /^Uid:\s*1000\s+1000\s+1000\s+1000$/m)
      }
    })

    test('shows no secret to whoever inspects it', async ({ assert }) => {
      const words = await canaries()
      assert.isNotEmpty(words[0])
      assertFree(assert, JSON.stringify(container), words, 'docker inspect')
    })

    test('has no secret in the environment or the arguments of any process', async ({ assert }) => {
      const words = await canaries()
      const pids = engine.processesOf(container.Id)
      assert.isNotEmpty(pids)
      for (const pid of pids) {
        for (const file of ['environ', 'cmdline']) {
          assertFree(assert, engine.readProcess(pid, file), words, `/proc/${pid}/${file}`)
        }
      }
    })

    test('has no secret in its image, and its image stays as it was', async ({ assert }) => {
      const words = await canaries()
      const image = docker.getImage(container.Image)
      assertFree(assert, JSON.stringify(await image.inspect()), words, 'the image')
      assertFree(assert, JSON.stringify(await image.history()), words, 'the history of the image')
      const files = await docker.getContainer(container.Id).export()
      assert.isNull(await containsAny(files, words))

      const mounts = [HANDED, STATE, '/tmp']
      const changes: { Path: string }[] = (await docker.getContainer(container.Id).changes()) ?? []
      const elsewhere = changes
        .map(({ Path }) => Path)
        .filter((path) => !mounts.some((mount) => `${mount}/`.startsWith(`${path}/`)))
      assert.deepEqual(elsewhere, [])
    })

    test('keeps no secret among its data, and no conversation in its log', async ({ assert }) => {
      const words = await canaries()
      const data = await docker.getContainer(container.Id).getArchive({ path: STATE })
      assert.isNull(await containsAny(data, words))
      const log = await docker
        .getContainer(container.Id)
        .logs({ stdout: true, stderr: true, follow: false })
      assertFree(assert, log.toString(), [...words, 'canarybird'], 'the log of the agent')
    })

    test("leaves no secret in Mosaic's own log", async ({ assert }) => {
      assertFree(assert, mosaic.log, [...(await canaries()), 'canarybird'], 'the log of Mosaic')
    })

    test('is remembered over a stop and a start', async ({ assert }) => {
      const [{ id }] = await mosaic.ask('GET', '/api/v1/conversations')
      await mosaic.ask('POST', '/api/v1/agent/stop')
      await stopped(assert)
      const { events } = await mosaic.chat('And again.', id)
      assert.equal(events.at(-1)!.event, 'done', JSON.stringify(events))
      const { messages } = await mosaic.ask('GET', `/api/v1/conversations/${id}`)
      const texts = messages.map(({ text }: { text: string }) => text)
      assert.deepEqual(texts, [SAID, SENTENCE.join(''), 'And again.', SENTENCE.join('')])
    }).timeout(280_000)

    async function stopped(assert: Assert): Promise<void> {
      const deadline = Date.now() + 60_000
      for (;;) {
        const { status } = await mosaic.ask('GET', '/api/v1/agent')
        if (status === 'stopped') break
        if (Date.now() > deadline) assert.equal(status, 'stopped')
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      const { State } = await docker
        .getContainer(container.Name.slice(1))
        .inspect()
        .catch(() => ({ State: { Running: false } }))
      assert.isFalse(State.Running)
    }
  })
}
