import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { answerWizard } from '#tests/e2e/ready_mosaic'
import { testSwarm, type Swarm, type SwarmNode } from '#tests/engine/swarm'

const run = promisify(execFile)

/** Hard-coded defaults show at an unusual port. */
const PORT = 8333
const STACK = 'mosaic'

const COMMAND_MS = 60_000
/** Each start by an image's name asks a registry first, which is out of reach here. */
const UP_MS = 5 * 60_000
const UPDATED_MS = 5 * 60_000
const ANSWER_MS = 3000
const ASK_EVERY_MS = 200

/** A kernel without IPsec drops what networks of the swarm encrypt. */
const ENCRYPTION = "    driver_opts:\n      encrypted: 'true'\n"

interface Readiness {
  checks: { name: string; status: string }[]
}

const swarm = testSwarm()
if (swarm && process.env.MOSAIC_TEST_MOSAIC_IMAGE) stackOn(swarm)

function stackOn({ manager, worker, nodes }: Swarm): void {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-stack-'))
  const keyFile = join(folder, 'mosaic_secret_key')
  const key = randomBytes(32).toString('base64')

  /** This kernel may lack IPVS, without which ports of nodes lead to their own replicas only. */
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    DOCKER_HOST: manager.host,
    DOCKER_SOCKET: manager.host.slice('unix://'.length),
    MOSAIC_SECRET_KEY_FILE: keyFile,
    MOSAIC_IMAGE: process.env.MOSAIC_TEST_MOSAIC_IMAGE,
    POSTGRES_IMAGE: process.env.MOSAIC_TEST_POSTGRES_IMAGE,
    MOSAIC_ADDRESS: manager.address,
    MOSAIC_DATABASE_NODE: worker.name,
    MOSAIC_PORT: String(PORT),
    MOSAIC_PORT_MODE: 'host',
    MOSAIC_ENDPOINT_MODE: 'dnsrr',
    MOSAIC_UPDATE_ORDER: 'stop-first',
    MOSAIC_AGENT_IMAGES: manager.gatewayImage.replace(/:.*/, ''),
  }
  const docker = async (words: string[], change: NodeJS.ProcessEnv = {}) => {
    const env = { ...environment, ...change }
    const { stdout, stderr } = await run('docker', words, { env, timeout: COMMAND_MS })
    // `docker logs` writes a container's standard error to its own standard error.
    return stdout + stderr
  }
  const deploy = (change: NodeJS.ProcessEnv = {}) => {
    const file = join(folder, 'stack.yaml')
    const words = ['--resolve-image', 'never', '-c', file, STACK]
    return docker(['stack', 'deploy', ...words], change)
  }

  const answer = async ({ address }: SwarmNode, path: string) => {
    const signal = AbortSignal.timeout(ANSWER_MS)
    return fetch(`http://${address}:${PORT}${path}`, { signal }).catch(() => null)
  }
  const isLive = async (node: SwarmNode) => (await answer(node, '/health/live'))?.ok ?? false
  const pause = () => new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  const tasksAtWork = async () => {
    const format = ['--filter', 'desired-state=running', '--format', '{{.ID}} {{.CurrentState}}']
    const told = await docker(['service', 'ps', `${STACK}_mosaic`, '--no-trunc', ...format])
    const lines = told.split('\n').filter((line) => line.includes(' Running '))
    return lines.map((line) => line.split(' ')[0])
  }

  /** Runs a command of Mosaic in its container on the manager. */
  const ace = async (...words: string[]) => {
    const filter = ['--filter', `label=com.docker.swarm.service.name=${STACK}_mosaic`]
    const id = (await docker(['ps', '--quiet', ...filter])).trim()
    return docker(['exec', id, 'sh', 'docker/start.sh', ...words])
  }

  test.group('The stack of stack.yaml', (group) => {
    let setupLink = ''

    group.setup(() => {
      writeFileSync(keyFile, key, { mode: 0o600 })
      const stack = readFileSync(app.makePath('docker/stack.yaml'), 'utf8')
      writeFileSync(join(folder, 'stack.yaml'), stack.replaceAll(ENCRYPTION, ''))
      return async () => {
        await docker(['stack', 'rm', STACK]).catch(() => {})
        rmSync(folder, { recursive: true })
      }
    })
    group.each.setup(() => async (hasError) => {
      if (!hasError) return
      const words = ['stack', 'ps', '--no-trunc', STACK]
      console.error(await docker(words).catch(String))
      const log = ['service', 'logs', '--tail', '40', `${STACK}_mosaic`]
      console.error(await docker(log).catch(String))
    })

    test('is not deployed without a key, and names the variable', async ({ assert }) => {
      const failed = await deploy({ MOSAIC_SECRET_KEY_FILE: '' }).catch(String)
      assert.match(failed, /MOSAIC_SECRET_KEY_FILE.*path of a file/s)
    })

    test('runs a replica on each node, on one database', async ({ assert }) => {
      await deploy()
      const deadline = Date.now() + UP_MS
      for (const node of nodes) {
        while (!(await isLive(node))) {
          if (Date.now() > deadline) assert.fail(`${node.name} has no replica that answers`)
          await pause()
        }
        const { checks } = (await (await answer(node, '/health/ready'))!.json()) as Readiness
        const good = checks.filter(({ status }) => status === 'ok').map(({ name }) => name)
        assert.includeMembers(good, ['database', 'migrations', 'vault'])
      }
    }).timeout(UP_MS + COMMAND_MS)

    test('shows its key to nobody who inspects it', async ({ assert }) => {
      const service = await docker(['service', 'inspect', `${STACK}_mosaic`])
      assert.notInclude(service, key)
      assert.notInclude(await docker(['secret', 'inspect', `${STACK}_mosaic_secret_key`]), key)
    })

    test('shows the set-up link, and is updated one replica after the other: one always answers', async ({
      assert,
    }) => {
      const deadline = Date.now() + UPDATED_MS
      let before = await tasksAtWork()
      while (before.length < nodes.length) {
        if (Date.now() > deadline) assert.fail('not all replicas are healthy')
        await pause()
        before = await tasksAtWork()
      }
      // A task that is not healthy yet has no log to show.
      const log = await docker(['service', 'logs', '--raw', `${STACK}_mosaic`])
      assert.include(log, `http://${manager.address}:${PORT}/onboarding?token=`)
      setupLink = /http:\S+\/onboarding\?token=\S+/.exec(log)![0]
      await deploy({ LOG_LEVEL: 'warn' })
      const isReplaced = async () => {
        const now = await tasksAtWork()
        return now.length === 2 && now.every((task) => !before.includes(task))
      }
      const silences: string[] = []
      while (!(await isReplaced()) || !(await Promise.all(nodes.map(isLive))).every(Boolean)) {
        if (Date.now() > deadline) assert.fail('the update took too long')
        const living = await Promise.all(nodes.map(isLive))
        if (!living.some(Boolean)) silences.push(new Date().toISOString())
        await pause()
      }
      assert.deepEqual(silences, [])
    }).timeout(UPDATED_MS + COMMAND_MS)

    test('runs agents on the nodes that Mosaic leaves free, through the socket proxy', async ({
      assert,
    }) => {
      // As docs/swarm.md says: Docker lets no container reach a published port of its own node.
      const move = ['--replicas', '1', '--constraint-add', 'node.role==manager']
      const before = await tasksAtWork()
      await docker(['service', 'update', '--quiet', '--detach', ...move, `${STACK}_mosaic`])
      const deadline = Date.now() + UPDATED_MS
      const isMoved = async () => {
        const now = await tasksAtWork()
        return now.length === 1 && !before.includes(now[0])
      }
      while (!(await isMoved()) || !(await isLive(manager))) {
        if (Date.now() > deadline) assert.fail('Mosaic is not on the manager alone')
        await pause()
      }
      await ace('settings:set', 'runtime.image', JSON.stringify(manager.gatewayImage))
      await ace('settings:set', 'runtime.driver', '"swarm"')
      const mosaic = { url: `http://${manager.address}:${PORT}`, setupLink }
      const api = await answerWizard(mosaic, { type: 'demo', model: 'echo' })
      const messages = [{ role: 'user', content: 'hi' }]
      const said = await api.raw('POST', '/v1/chat/completions', { model: 'openclaw', messages })
      const body = (await said.json()) as { choices?: { message: { content: string } }[] }
      assert.equal(body.choices?.[0].message.content, 'Turn 1: hi', JSON.stringify(body))
      const found = await api.ask<{ name: string; agents: number }[]>('GET', '/api/v1/admin/nodes')
      const busy = found.filter(({ agents }) => agents > 0)
      assert.deepEqual(
        busy.map(({ name }) => name),
        [worker.name]
      )
    }).timeout(UPDATED_MS + COMMAND_MS)
  })
}
