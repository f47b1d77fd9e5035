/**
 * A replica of Mosaic in a process: the web process of the production build, whose agents live in a world of
 * `chaos/`, as on an engine that outlives it. It leaves its parent once it has stopped.
 *
 * Usage: replica.ts <URL of the world>
 */
import 'reflect-metadata'
import { Ignitor } from '@adonisjs/core'
import { answerQuestions } from '../../bench/answering.js'
import { RemoteDriver } from '../../chaos/remote_driver.js'

const [worldUrl] = process.argv.slice(2)
const BUILD = new URL('../../build/', import.meta.url)
const fromBuild = (path: string) => import(new URL(path, BUILD).href)

const { createHttpServer } = await fromBuild('start/http_server.js')
const ignitor = new Ignitor(BUILD, {
  importer: (path) => import(path.startsWith('.') ? new URL(path, BUILD).href : path),
})
await ignitor
  .tap((app) => {
    app.booting(() => fromBuild('start/env.js'))
    app.booted(async () => {
      const runtimes = await app.container.make('runtime.manager')
      runtimes.extend('memory', async () => new RemoteDriver(worldUrl, String(process.pid)))
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
  const settings = await ignitor.getApp()!.container.make('settings')
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
