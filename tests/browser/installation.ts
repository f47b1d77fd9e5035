import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import type { BrowserContext, Page } from 'playwright'
import settings from '#settings/services/main'
import LlmProvider from '#models/llm_provider'
import SignInService from '#models/sign_in_service'
import type User from '#models/user'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { ORIGIN } from '#tests/browser/chromium'

export const ACCOUNT = { username: 'admin', password: 'correct horse battery' }

/** Of every service that `giveSignInService` sets up. */
const SIGN_IN_SECRET = 'a secret of the client'

/** Milliseconds between two words of a held answer. */
const WORD_MS = 20

/** The driver that makes agents' doubles within this process. */
export async function memoryDriver(): Promise<MemoryDriver> {
  const runtimes = await app.container.make('runtime.manager')
  return (await runtimes.use('memory')) as MemoryDriver
}

/**
 * Has the doubles' answers come word by word and wait after so many words: on a busy machine an answer would
 * be over before a page is there to see it. The returned function lets them go on.
 */
export async function holdAnswersAfter(words: number): Promise<() => void> {
  const { promise: until, resolve } = Promise.withResolvers<void>()
  const memory = await memoryDriver()
  memory.behave('*', { chunkDelayMs: WORD_MS, hold: { chunks: words, until } })
  return resolve
}

/** Has agents wake until the returned function is called, for the same reason. */
export async function holdWakes(): Promise<() => void> {
  const boot = { isOver: false }
  const memory = await memoryDriver()
  memory.behave('*', { boot })
  return () => {
    boot.isOver = true
  }
}

/** Has the runtime be busy with starting agents until the returned function is called, for the same reason. */
export async function holdStarts(): Promise<() => void> {
  const { promise: startsOnce, resolve } = Promise.withResolvers<void>()
  const memory = await memoryDriver()
  memory.behave('*', { startsOnce })
  return resolve
}

/** Nobody has set it up yet; agents are doubles. The returned function puts everything back. */
export async function freshInstallation() {
  /** The runtimes of this process know their instances by it. */
  const installation = await settings.get('installation.id')
  const truncate = await testUtils.db().truncate()
  /** A test that failed before it was ready has left what it made. */
  await truncate()
  if (installation) await settings.set('installation.id', installation)
  await settings.set('onboarding.completed', false)
  await settings.set('onboarding.steps', [])
  await settings.set('runtime.driver', 'memory')
  return async () => {
    await (await memoryDriver()).reset()
    /** What is counted still would be written in the middle of the next test. */
    await (await app.container.make('usage.meter')).flush()
    await truncate()
  }
}

/** Set up, with its first admin. */
export async function readyInstallation() {
  const restore = await freshInstallation()
  const accounts = await app.container.make('identity.breakglass')
  const admin = await accounts.create(ACCOUNT)
  await settings.set('onboarding.completed', true)
  return { admin, restore }
}

/** Gives the demo model to a user: it needs no key and no network. */
export async function giveDemoModel(user: User): Promise<void> {
  const provider = new LlmProvider()
  await provider
    .merge({
      userId: user.id,
      name: 'demo',
      displayName: 'Demo model',
      type: 'demo',
      apiType: 'openai-completions',
      models: [{ id: 'echo', name: 'Echo' }],
      isActive: true,
    })
    .save()
  const preferences = await app.container.make('settings.agent_preferences')
  await preferences.put({ user, address: '127.0.0.1' }, { primaryModel: 'demo/echo' })
}

/** Setup of each test: set up, and its admin has the demo model. */
export async function readyWithModel() {
  const { admin, restore } = await readyInstallation()
  await giveDemoModel(admin)
  return restore
}

/** A service that people can sign in with, switched on. */
export async function giveSignInService(name: string, address: string | null = null) {
  const service = new SignInService()
  service.merge({ name, address, clientId: 'mosaic', signUp: 'invited', isActive: true })
  await service.seal('clientSecret', SIGN_IN_SECRET)
  return service.save()
}

/** A member who signs in with a password of their own. */
export async function giveLocalAccount(account: typeof ACCOUNT): Promise<User> {
  const accounts = await app.container.make('identity.breakglass')
  const user = await accounts.create(account)
  return user.merge({ role: 'member' }).save()
}

/** Signs a browser in without its pages. */
export async function signIn(context: BrowserContext, account = ACCOUNT): Promise<void> {
  const answer = await context.request.post(`${ORIGIN}/api/v1/session`, { data: account })
  if (!answer.ok()) throw new Error(`Signing in answered ${answer.status()}`)
}

/** Opens a tab of a signed-in user, at this path if one is given. */
export async function openPage(context: BrowserContext, path?: string): Promise<Page> {
  await signIn(context)
  const page = await context.newPage()
  if (path) await page.goto(`${ORIGIN}${path}`)
  return page
}

export async function setupToken(): Promise<string> {
  const onboarding = await app.container.make('onboarding')
  return onboarding.setupToken.value()
}

/** Goes through the wizard with the demo model, from the first account up to the choice of a runtime. */
export async function setUpByHand(page: Page): Promise<void> {
  await page.getByLabel('Username').fill(ACCOUNT.username)
  await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
  await page.getByRole('button', { name: 'Create the account' }).click()
  await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  await page.getByRole('button', { name: 'Skip for now' }).click()
  await page.getByTestId('type-demo').click()
  await page.getByTestId('test-connection').click()
  await page.getByText('The connection works').waitFor()
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByRole('heading', { name: 'System agents' }).waitFor()
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
}
