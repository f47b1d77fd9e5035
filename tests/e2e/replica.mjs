/**
 * A replica of Mosaic in a process: the web process of the production build, whose agents live in a world of
 * `chaos/`, as on an engine that outlives it. It leaves its parent once it has stopped.
 *
 * Usage: replica.mjs <URL of the world>
 */
import 'reflect-metadata'
import { Ignitor } from '@adonisjs/core'
import { answerQuestions } from '../../bench/answering.ts'

const [worldUrl] = process.argv.slice(2)
const BUILD = new URL('../../build/', import.meta.url)
const fromBuild = (path) => import(new URL(path, BUILD).href)
const { RuntimeError } = await fromBuild('app/runtimes/errors.js')

async function ask(verb, input = {}) {
  const body = JSON.stringify({ replicaId: String(process.pid), ...input })
  const response = await fetch(`${worldUrl}/world/${verb}`, { method: 'POST', body })
  const { value, reason, message } = await response.json()
  if (reason) throw new RuntimeError(reason, message)
  return value
}

/** Times arrive as strings. */
const observed = (found) =>
  found?.startedAt ? { ...found, startedAt: new Date(found.startedAt) } : found

/** The world ignores the installation, for which it is the only one. */
const driver = {
  name: 'memory',
  capabilities: {
    isolation: 'none',
    suspend: false,
    limits: false,
    multiNode: false,
    events: false,
  },
  ensure: ({ token, ...spec }) =>
    ask('ensure', { spec: { ...spec, installation: 'world' }, token: token.release() }),
  stop: ({ name }) => ask('stop', { name }),
  inspect: async ({ name }) => observed(await ask('inspect', { name })),
  list: async function* () {
    for (const found of await ask('list')) yield observed(found)
  },
  remove: ({ name }) => ask('remove', { name }),
  purge: ({ name }) => ask('purge', { name }),
  logs: async function* () {},
  preflight: async () => [],
}

const { createHttpServer } = await fromBuild('start/http_server.js')
const ignitor = new Ignitor(BUILD, {
  importer: (path) => import(path.startsWith('.') ? new URL(path, BUILD).href : path),
})
await ignitor
  .tap((app) => {
    app.booting(() => fromBuild('start/env.js'))
    app.booted(async () => {
      const runtimes = await app.container.make('runtime.manager')
      runtimes.extend('memory', async () => driver)
    })
    app.listen('SIGTERM', async () => {
      await app.terminate()
      process.disconnect()
    })
  })
  .httpServer()
  .start((handler) => createHttpServer(handler))

/** Sets the installation up with one user; returns an access token. */
async function prepare() {
  const { default: User } = await fromBuild('app/models/user.js')
  const { default: LlmProvider } = await fromBuild('app/models/llm_provider.js')
  const settings = await ignitor.getApp().container.make('settings')
  await settings.set('runtime.driver', 'memory')
  const user = await User.create({ email: 'one@example.test', name: 'One', role: 'member' })
  await new LlmProvider()
    .merge({
      userId: user.id,
      name: 'demo',
      displayName: 'Demo',
      type: 'demo',
      apiType: 'openai-completions',
      models: [{ id: 'echo', name: 'Echo' }],
      isActive: true,
    })
    .save()
  const token = await User.accessTokens.create(user)
  return token.value.release()
}

answerQuestions({ prepare }, { url: `http://127.0.0.1:${process.env.PORT}` })
