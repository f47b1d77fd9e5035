/**
 * Mosaic's web process as `bin/server.ts` starts it, with one user whose agent is the bench's gateway
 * double: a runtime driver answers with the double's address instead of starting anything.
 */
import 'reflect-metadata'
import { Secret } from '@adonisjs/core/helpers'
import { Ignitor } from '@adonisjs/core'
import { createHttpServer } from '#start/http_server'
import type { Instance, InstanceSpec, RuntimeDriver } from '#runtimes/contract'
import type { MosaicFacts, EnsureFigures } from '../mosaic.js'

const ROUNDS = 200_000

const [gatewayUrl] = process.argv.slice(2)

/** Everything runs already, at the double's address. */
function doubleDriver(): RuntimeDriver {
  const instance = ({ name }: InstanceSpec): Instance => ({
    name,
    id: 'double',
    endpoint: gatewayUrl,
    state: {},
  })
  return {
    name: 'bench',
    capabilities: {
      isolation: 'none',
      suspend: false,
      limits: false,
      multiNode: false,
      events: false,
    },
    ensure: async (spec) => instance(spec),
    stop: async () => {},
    inspect: async () => null,
    list: async function* () {},
    remove: async () => {},
    purge: async () => {},
    logs: async function* () {},
    preflight: async () => [],
  }
}

const ignitor = new Ignitor(new URL('../../', import.meta.url), {
  importer: (path) =>
    import(path.startsWith('.') ? new URL(`../../${path}`, import.meta.url).href : path),
})

await ignitor
  .tap((app) => {
    app.booting(async () => {
      await import('#start/env')
    })
    app.listen('SIGTERM', () => app.terminate())
  })
  .httpServer()
  .start((handler) => createHttpServer(handler))

const app = ignitor.getApp()!

async function prepare(): Promise<MosaicFacts> {
  const { default: User } = await import('#models/user')
  const { default: LlmProvider } = await import('#models/llm_provider')
  const { default: UserContainer } = await import('#models/user_container')
  const settings = await app.container.make('settings')
  const runtimes = await app.container.make('runtime.manager')
  runtimes.extend('bench', doubleDriver)
  await settings.set('runtime.driver', 'bench')
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])

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

/** Bytes in use on the heap and outside of it, after a collection. */
function memory(): number {
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const ANSWERS: Record<string, () => unknown> = { ensure: measureEnsure, memory }

process.on('message', async ({ id, question }: { id: number; question: string }) => {
  try {
    process.send!({ id, answer: await ANSWERS[question]() })
  } catch (error) {
    process.send!({ id, failure: String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: facts })
