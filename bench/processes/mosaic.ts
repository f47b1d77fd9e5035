/**
 * Mosaic's web process as `bin/server.ts` starts it, with one user. The bench's runtime driver returns the
 * gateway double's address instead of starting anything, or delegates to the process driver.
 */
import { requestGateway } from '#runtimes/gateway_connections'
import { readyAt } from '../openclaw_by_hand.js'
import { Secret } from '@adonisjs/core/helpers'
import type { RuntimeDriver } from '#runtimes/contract'
import { answerQuestions } from '../answering.js'
import { doubleDriver } from '../double_driver.js'
import { webProcess } from '../web_process.js'
import { now } from '../clock.js'
import type { EnsureFigures, MosaicFacts, WakeDurations } from '../mosaic.js'

const ROUNDS = 200_000

const [gatewayUrl, agents] = process.argv.slice(2)

/** Start and end of the driver's last `ensure`. */
const ensured = { from: 0, to: 0 }

/** Times `ensure`, and tells the bench when the instance's gateway is ready. */
function timed(driver: RuntimeDriver): RuntimeDriver {
  return {
    name: 'bench',
    capabilities: { ...driver.capabilities, suspend: false, events: false },
    async ensure(spec, context) {
      ensured.from = now()
      const instance = await driver.ensure(spec, context)
      ensured.to = now()
      void readyAt(instance.endpoint, requestGateway).then((ready) =>
        process.send!({ gatewayReady: ready })
      )
      return instance
    },
    callback: async () => (await driver.callback?.()) ?? null,
    stop: (ref, options) => driver.stop(ref, options),
    inspect: (ref) => driver.inspect(ref),
    list: () => driver.list(),
    remove: (ref) => driver.remove(ref),
    purge: (ref) => driver.purge(ref),
    logs: (ref, options) => driver.logs(ref, options),
    preflight: () => driver.preflight(),
  }
}

const app = await webProcess()

async function prepare(): Promise<MosaicFacts> {
  const { default: User } = await import('#models/user')
  const { default: LlmProvider } = await import('#models/llm_provider')
  const { default: UserContainer } = await import('#models/user_container')
  const settings = await app.container.make('settings')
  const runtimes = await app.container.make('runtime.manager')
  runtimes.extend('bench', async () => {
    return timed(
      agents === 'real'
        ? await runtimes.use('process')
        : doubleDriver({ name: 'bench', endpointOf: () => gatewayUrl })
    )
  })
  await settings.set('runtime.driver', 'bench')
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  /** One user stands for many here. */
  await settings.set('limits.requestsPerMinute', 100_000_000)
  await settings.set('limits.openStreams', 1_000_000)

  const user = await User.create({ email: 'bench@example.test', name: 'Bench', role: 'member' })
  const token = await User.accessTokens.create(user)
  const provider = new LlmProvider()
  provider.merge({
    userId: user.id,
    name: 'bench',
    displayName: 'Bench',
    type: 'custom',
    baseUrl: `${gatewayUrl}/v1`,
    apiType: 'openai-completions',
    models: [{ id: 'bench-model', name: 'Bench' }],
    isActive: true,
  })
  await provider.seal('apiKey', 'a key of no service')
  await provider.save()

  const lifecycle = await app.container.make('agents.lifecycle')
  await lifecycle.ensureRunning(`user/${user.id}`)
  const row = await UserContainer.ownedBy(user.id).firstOrFail()
  return {
    url: `http://127.0.0.1:${process.env.PORT}`,
    internalUrl: app.config.get('internal.url'),
    userId: user.id,
    accessToken: token.value!.release(),
    gatewayToken: new Secret(await row.open('gatewayToken')).release()!,
    providerId: provider.id,
    instance: row.containerName,
  }
}

const facts = await prepare()

async function measureEnsure(): Promise<EnsureFigures> {
  const lifecycle = await app.container.make('agents.lifecycle')
  const db = await app.container.make('lucid.db')
  let queries = 0
  db.connection()
    .getWriteClient()
    .on('query', () => queries++)
  const agent = `user/${facts.userId}` as const
  for (let i = 0; i < ROUNDS / 10; i++) await lifecycle.ensureRunning(agent)
  const queriesBefore = queries
  const startedAt = performance.now()
  for (let i = 0; i < ROUNDS; i++) await lifecycle.ensureRunning(agent)
  const microseconds = ((performance.now() - startedAt) * 1000) / ROUNDS
  return { microseconds, queries: queries - queriesBefore }
}

/** Performs a cold wake, as a user's message would. */
async function wake(): Promise<WakeDurations> {
  const lifecycle = await app.container.make('agents.lifecycle')
  const asked = now()
  await lifecycle.ensureRunning(`user/${facts.userId}`)
  return { asked, driverFrom: ensured.from, driverTo: ensured.to, answered: now() }
}

async function sleep(): Promise<true> {
  const lifecycle = await app.container.make('agents.lifecycle')
  await lifecycle.stop(`user/${facts.userId}`)
  return true
}

/** Bytes in use on and off the heap, after a garbage collection. */
function memory(): number {
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const ANSWERS: Record<string, () => unknown> = { ensure: measureEnsure, wake, sleep, memory }

answerQuestions(ANSWERS, facts)
