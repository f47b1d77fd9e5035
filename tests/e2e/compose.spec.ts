import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { BRIDGE_ADDRESS } from '../engine/docker_daemon.mjs'
import { backupLines } from '#tests/e2e/backup_chapter'
import { eventsOf, textOf, type Api } from '#tests/e2e/api'
import { ComposeStack } from '#tests/e2e/compose_stack'
import { ContainerHome } from '#tests/e2e/container_home'
import { ModelService } from '#tests/e2e/model_service'
import { answerWizard } from '#tests/e2e/ready_mosaic'
import { testEngine, type Engine } from '#tests/engine/engine'
import type { AgentView } from '#agents/types'

const API_KEY = 'sk-of-the-stack-41c7'
const FIRST = 'My boat is called Halcyon. Please remember that.'
const SECOND = 'What is my boat called?'

/** A wake of the real OpenClaw on a busy machine, including preparations. */
const STEP_TIMEOUT_MS = 300_000
/** Two installs from the registry, and a build of the pages. */
const BUILD_TIMEOUT_MS = 15 * 60_000
const NOTICED_MS = 60_000

const engine = testEngine()
if (engine && process.env.MOSAIC_TEST_COMPOSE) stackOn(engine)

function stackOn(given: Engine): void {
  const { docker } = given

  test.group('The stack of compose.yaml', (group) => {
    const stack = new ComposeStack(given)
    const home = new ContainerHome(given)
    let service: ModelService
    let api: Api
    let conversation: string

    group.setup(async () => {
      // The address at which Mosaic reaches it from its container.
      service = await new ModelService(API_KEY, BRIDGE_ADDRESS).start()
      await stack.prepare()
      return async () => {
        await stack.end()
        await home.close()
        await service.stop()
      }
    })
    group.each.timeout(STEP_TIMEOUT_MS)
    group.each.setup(() => async (hasError) => {
      if (hasError) console.error(`Mosaic says:\n${await stack.log().catch(String)}`)
    })

    const seen = async (status: AgentView['status']) => {
      const deadline = Date.now() + NOTICED_MS
      for (;;) {
        const agent = await api.ask<AgentView>('GET', '/api/v1/agent')
        if (agent.status === status) return
        if (Date.now() > deadline) throw new Error(`It is ${JSON.stringify(agent)}`)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
    /** Sends a message and returns the whole answer; `service.calls` has the model's input. */
    const say = async (message: string) => {
      const events = await api.chat(message, conversation)
      const { event, data } = events.at(-1)!
      if (event !== 'done') throw new Error(JSON.stringify(events))
      conversation = data.conversationId!
      return textOf(events)
    }
    const told = () => ModelService.told(service.calls.at(-1)!)

    test('does not begin without a key, and says how to make one', async ({ assert }) => {
      const { code, err } = await stack.compose(['up', '-d'], { MOSAIC_SECRET_KEY: '' })
      assert.notEqual(code, 0)
      assert.include(err, 'MOSAIC_SECRET_KEY')
      assert.include(err, 'openssl rand -base64 32')
    })

    test('builds its image from the repository and the registry of packages', async ({
      assert,
    }) => {
      await stack.done('build')
      const image = await docker.getImage('mosaic:local').inspect()
      assert.equal(image.Config.User, '1000:1000')
      assert.notInclude(JSON.stringify(image), stack.secretKey)
    }).timeout(BUILD_TIMEOUT_MS)

    test('does not begin where the socket of the engine is elsewhere, and names it', async ({
      assert,
    }) => {
      const elsewhere = '/run/user/1000/no-docker.sock'
      const { code, err } = await stack.compose(['up', '-d'], { DOCKER_SOCKET: elsewhere })
      assert.notEqual(code, 0)
      assert.include(err, elsewhere)
    })

    test('says in two lines that a key is weak', async ({ assert }) => {
      const { code, err } = await stack.compose(
        ['run', '--rm', '--no-deps', '--no-TTY', 'mosaic', 'server'],
        { MOSAIC_SECRET_KEY: 'password' }
      )
      assert.equal(code, 1)
      assert.match(err, /E_SECRET_KEY_WEAK: .*\n.*openssl rand -base64 32\n/)
      assert.notMatch(err, /\n\s+at /)
    })

    test('is up with a key alone, and shows the link that makes an admin', async ({ assert }) => {
      await stack.up()
      assert.match(stack.setupLink, /^http:\/\/localhost:8333\/onboarding\?token=\S+$/)
      const states = (await stack.services()).map(({ Service, State }) => `${Service} ${State}`)
      assert.sameMembers(states, ['mosaic running', 'socket-proxy running', 'database running'])
    })

    test('finds nothing wrong with its engine, through the socket proxy', async ({ assert }) => {
      const image = JSON.stringify(given.openclawImage)
      await stack.aceJson('settings:set', 'runtime.image', image)
      await stack.aceJson('settings:set', 'network.allowedRanges', `["${BRIDGE_ADDRESS}/32"]`)
      const { findings } = await stack.aceJson<{ findings: unknown[] }>('doctor')
      assert.deepEqual(findings, [])
    })

    test('a first message wakes the first agent, and is answered piece by piece', async ({
      assert,
    }) => {
      const { url: baseUrl } = service
      const provider = { type: 'custom', baseUrl, apiKey: API_KEY, model: ModelService.MODEL }
      api = await answerWizard(stack, provider)

      service.hold()
      const [begin, end] = ModelService.answer(1)
      const answer = await api.raw('POST', '/api/v1/chat', { message: FIRST })
      let heard = ''
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream() as never)) {
        heard += chunk
        if (textOf(eventsOf(heard)) === begin) service.release()
      }
      assert.isFalse(service.isHolding)
      assert.equal(textOf(eventsOf(heard)), `${begin}${end}`)
      conversation = eventsOf(heard).at(-1)!.data.conversationId!
      assert.equal(service.calls[0].authorization, `Bearer ${API_KEY}`)
    })

    test('the agent is in a small network of its own, which only Mosaic joins', async ({
      assert,
    }) => {
      const [agent, ...others] = await home.agents()
      assert.isEmpty(others)
      const [[network]] = Object.entries(agent.NetworkSettings.Networks)
      assert.equal(network, `${agent.Name.slice(1)}-sealed`)
      const { Containers, IPAM, Internal } = await docker.getNetwork(network).inspect()
      const mosaic = await stack.container('mosaic')
      assert.sameMembers(Object.keys(Containers!), [agent.Id, mosaic.Id])
      assert.match(IPAM!.Config![0].Subnet!, /^10\.213\.\d+\.\d+\/29$/)
      assert.isTrue(Internal)
    })

    test('the agent reaches the internal listener and nothing else', async ({ assert }) => {
      const [agent] = await home.agents()
      const [[network]] = Object.entries(agent.NetworkSettings.Networks)
      const addresses = async (name: string) =>
        Object.values((await stack.container(name)).NetworkSettings.Networks).map(
          ({ IPAddress }) => IPAddress
        )
      const reached = (host: string, port: number) => stack.within(agent.Id, connecting(host, port))

      assert.equal(await reached('mosaic-internal', 3334), 'connected')
      assert.equal(await reached('mosaic-internal', 3333), 'ECONNREFUSED')
      const closed = [
        ...(await addresses('mosaic')).map((host) => ({ host, port: 3333 })),
        ...(await addresses('database')).map((host) => ({ host, port: 5432 })),
        ...(await addresses('socket-proxy')).map((host) => ({ host, port: 2375 })),
        { host: 'database', port: 5432 },
        { host: 'socket-proxy', port: 2375 },
        { host: BRIDGE_ADDRESS, port: Number(new URL(service.url).port) },
      ]
      const outcomes = await Promise.all(closed.map(({ host, port }) => reached(host, port)))
      assert.notInclude(outcomes, 'connected', JSON.stringify({ network, closed, outcomes }))
    })

    test('Mosaic is nobody in its container, cannot write there, and holds no socket', async ({
      assert,
    }) => {
      const { HostConfig, Config, Mounts } = await stack.container('mosaic')
      assert.equal(Config.User, '1000:1000')
      assert.isTrue(HostConfig.ReadonlyRootfs)
      assert.isFalse(HostConfig.Privileged)
      assert.deepEqual(HostConfig.CapDrop, ['ALL'])
      assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'])
      assert.deepEqual(
        Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`),
        ['volume /var/lib/mosaic']
      )
      const proxy = await stack.container('socket-proxy')
      assert.isEmpty(Object.values(proxy.NetworkSettings.Ports).filter(Boolean))
    })

    test('from within Mosaic, no other container can be made, looked into or ended', async ({
      assert,
    }) => {
      const mosaic = await stack.container('mosaic')
      const database = await stack.container('database')
      const ask = async (method: string, path: string, body?: object) =>
        JSON.parse(await stack.within(mosaic.Id, asking(method, path, body))) as {
          status: number
          answer: { message?: string; Config?: { Env?: string[] } }
        }

      const [agent] = await home.agents()
      const { 'mosaic.installation': installation } = agent.Config.Labels
      const made = await ask('POST', '/containers/create', {
        Image: agent.Image,
        Labels: { 'mosaic.installation': installation },
        HostConfig: { Privileged: true, Binds: ['/:/host'] },
      })
      assert.equal(made.status, 422)
      assert.include(made.answer.message, 'socket proxy')
      const looked = await ask('GET', `/containers/${database.Id}/json`)
      assert.equal(looked.status, 200)
      assert.isUndefined(looked.answer.Config!.Env)
      const ended = await ask('POST', `/containers/${database.Id}/stop`)
      assert.equal(ended.status, 422)
      assert.isTrue((await stack.container('database')).State.Running)
    })

    test('the agent sleeps, and wakes with its memory', async ({ assert }) => {
      await api.ask('POST', '/api/v1/agent/stop')
      await seen('stopped')
      assert.isEmpty(await home.running())

      assert.equal(await say(SECOND), ModelService.answer(2).join(''))
      assert.include(told(), FIRST)
      assert.lengthOf(await home.running(), 1)
    })

    test('a restart of Mosaic loses nothing', async ({ assert }) => {
      const before = await home.running()
      await stack.done('restart', 'mosaic')
      await stack.answers()
      assert.equal(await say(SECOND), ModelService.answer(3).join(''))
      assert.include(told(), FIRST)
      assert.deepEqual(await home.running(), before)
    })

    test('what was taken down finds everything when it is up again', async ({ assert }) => {
      await stack.done('down')
      assert.isEmpty(await stack.services())
      await stack.up()
      assert.equal(await say(SECOND), ModelService.answer(4).join(''))
      assert.include(told(), FIRST)
      const listed = await api.ask<{ id: string }[]>('GET', '/api/v1/conversations')
      assert.deepEqual(
        listed.map(({ id }) => id),
        [conversation]
      )
      assert.lengthOf(await home.running(), 1)
    })

    test('comes back from its backup where engine and database are empty', async ({
      assert,
      cleanup,
    }) => {
      const folder = mkdtempSync(join(tmpdir(), 'mosaic-operator-'))
      cleanup(() => rmSync(folder, { recursive: true }))
      symlinkSync(app.makePath('docker'), join(folder, 'docker'))
      mkdirSync(join(folder, 'plugins'))
      await stack.follow(backupLines('Back up Docker Compose'), folder)
      await stack.done('down', '--volumes')
      await home.close()

      const lines = backupLines('Restore Docker Compose', 1)
      await stack.follow(
        lines.filter((line) => !line.endsWith(' build')),
        folder
      )
      await stack.answers()
      assert.equal(await say(SECOND), ModelService.answer(5).join(''))
      assert.include(told(), FIRST)
    })
  })
}

/** A program that prints the outcome of a connection. A closed path drops packets. */
function connecting(host: string, port: number): string {
  return `
    import { connect } from 'node:net'
    const socket = connect({ host: '${host}', port: ${port}, timeout: 1500 })
    const tell = (text) => { console.log(text); process.exit() }
    socket.once('connect', () => tell('connected')).once('timeout', () => tell('timeout'))
    socket.once('error', (error) => tell(error.code))`
}

/** A program that sends a request to the engine as Mosaic does. */
function asking(method: string, path: string, body?: object): string {
  return `
    const answer = await fetch(process.env.DOCKER_HOST.replace('tcp:', 'http:') + '${path}', {
      method: '${method}',
      body: ${body ? `JSON.stringify(${JSON.stringify(body)})` : 'undefined'},
    })
    console.log(JSON.stringify({ status: answer.status, answer: await answer.json() }))`
}
