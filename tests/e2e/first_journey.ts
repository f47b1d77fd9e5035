import { DatabaseSync } from 'node:sqlite'
import OpenAI from 'openai'
import { test } from '@japa/runner'
import type { Browser, Page, Request } from 'playwright'
import { Api } from '#tests/e2e/api'
import { Canaries, type Leak } from '#tests/e2e/canaries'
import { processesOf } from '../runner/processes.mjs'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { ModelService } from '#tests/e2e/model_service'
import { launchChromium } from '#tests/browser/chromium'

const PASSWORD = 'a-password-for-the-journey'
const API_KEY = 'sk-canary-6f1d93c0b7a84e25'
const PERSONALITY = 'You are a lighthouse keeper and end every letter with the word periwinkle.'
const NEW_PERSONALITY = 'You are a gardener and end every letter with the word saxifrage.'
const FIRST = 'My boat is called Halcyon. Please remember that.'
const SECOND = 'What is my boat called?'
const THIRD = 'Are you still there?'

/** One wake of the real OpenClaw on a busy machine, including preparations. */
const STEP_TIMEOUT_MS = 240_000
/** Allows for the web process, which may still be writing the owner's activity. */
const REAP_DEADLINE_MS = 180_000

/** Maximum page loads: interfaces come and go within a second of each other. */
const MOST_LOADS = 5

/** What the additional tests of a home continue with. */
export interface Journey {
  mosaic: MosaicProcess
  /** As the first admin. */
  api: Api
}

/** Where the agents of a journey run. */
export interface AgentsHome {
  /** Additional variables for Mosaic. */
  env: Record<string, string>
  /** Settings made before the first start. */
  settings: Record<string, unknown>
  /** Running agents, by ids that change with each start. */
  running(mosaic: MosaicProcess): Promise<(string | number)[]>
  /** Planted secrets found where the agents run, while they do. */
  leaks(mosaic: MosaicProcess, canaries: Canaries): Promise<Leak[]>
  /** Removes what remains of the agents, after Mosaic has ended. */
  close(): Promise<void>
  /** Additional tests for this home, while an agent runs in it. `journey` is for use within them. */
  tests?(journey: () => Journey): void
}

/**
 * The journey of the first user, step by step on one installation: each test continues where the previous one
 * ended.
 */
export function firstJourney(title: string, home: AgentsHome): void {
  test.group(title, (group) => {
    let mosaic: MosaicProcess
    let service: ModelService
    let browser: Browser
    let page: Page
    let api: Api
    const canaries = new Canaries({ 'API key': API_KEY, 'password': PASSWORD })
    const leaks: Leak[] = []

    group.setup(async () => {
      service = await new ModelService(API_KEY).start()
      mosaic = new MosaicProcess()
      await mosaic.prepare(home.env)
      await mosaic.ace('migration:run', '--force')
      const settings = { 'network.allowedRanges': ['127.0.0.0/8'], ...home.settings }
      for (const [key, value] of Object.entries(settings)) {
        await mosaic.ace('settings:set', key, JSON.stringify(value))
      }
      await mosaic.start()
      browser = await launchChromium()
      page = await browser.newPage()
      page.setDefaultTimeout(STEP_TIMEOUT_MS)
      page.on('response', async (response) => {
        const body = await response.body().catch(() => Buffer.alloc(0))
        leaks.push(...canaries.inText(`answer of ${response.url()}`, body))
      })
      return async () => {
        await browser.close()
        await mosaic.end()
        await home.close()
        await service.stop()
      }
    })
    group.each.timeout(STEP_TIMEOUT_MS)
    /** On failure, prints what the user would have seen. */
    group.each.setup(() => async (hasError) => {
      if (!hasError) return
      const seen = await page.innerText('body', { timeout: 5000 }).catch(String)
      console.error(`The page ${page.url()} says:\n${seen}\nMosaic says:\n${mosaic.log}`)
    })

    /**
     * Loads a page and retries, as a user would. Chromium shares the network of the tests' engine, and drops
     * pending connections when an agent's interface appears or disappears there.
     */
    const open = async (address: string) => {
      for (let tries = 1; ; tries++) {
        const dropped: string[] = []
        const note = (request: Request) => {
          if (request.failure()?.errorText === 'net::ERR_NETWORK_CHANGED')
            dropped.push(request.url())
        }
        page.on('requestfailed', note)
        await page.goto(address, { waitUntil: 'networkidle' })
        page.off('requestfailed', note)
        if (dropped.length === 0 || tries === MOST_LOADS) return
      }
    }
    const say = async (text: string) => {
      await page.locator('#message').fill(text)
      await page.keyboard.press('Enter')
    }
    const answer = (state: string) =>
      page.locator(`[data-testid=message-agent][data-state=${state}]`).last()

    test('the setup link leads through the wizard to the chat', async ({ assert }) => {
      await open(mosaic.setupLink)
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await page.getByRole('button', { name: 'Create the account' }).click()
      await page.getByRole('button', { name: 'Skip for now' }).click()

      await page.getByTestId('type-custom').click()
      await page.getByLabel('Address').fill(service.url)
      await page.getByLabel('API key').fill(API_KEY)
      await page.getByTestId('test-connection').click()
      await page.getByText('The connection works').waitFor()
      await page.getByRole('button', { name: 'Save and continue' }).click()
      await page.getByRole('button', { name: 'Continue', exact: true }).click()
      await page.getByRole('button', { name: 'Finish and open the chat' }).click()
      await page.waitForURL(`${mosaic.url}/chat`)
      assert.isEmpty(service.calls)
    })

    test('a message is answered piece by piece, through OpenClaw, in the chosen personality', async ({
      assert,
    }) => {
      await open(`${mosaic.url}/settings/agent`)
      await page.getByRole('textbox', { name: 'Personality' }).fill(PERSONALITY)
      const saved = page.waitForResponse((one) => one.url().endsWith('/api/v1/agent-config'))
      await page.getByRole('button', { name: 'Save' }).click()
      assert.equal((await saved).status(), 200)

      await open(`${mosaic.url}/chat`)
      service.hold()
      await say(FIRST)
      const [begin, end] = ModelService.answer(1)
      await answer('streaming').getByText(begin).waitFor()
      assert.notInclude(await answer('streaming').innerText(), end)
      service.release()
      await answer('done').getByText(`${begin}${end}`).waitFor()

      const [call] = service.calls
      assert.equal(call.authorization, `Bearer ${API_KEY}`)
      assert.include(ModelService.told(call), FIRST)
      const [system] = call.body.messages
      assert.include(['system', 'developer'], system.role)
      assert.include(JSON.stringify(system.content), PERSONALITY)
    })

    test('goes on after the reaper put the agent to sleep', async ({ assert }) => {
      assert.deepInclude(await mosaic.aceJson('reap:idle'), { candidates: 0, stopped: 0 })
      await reapAfterADay(mosaic)
      assert.isEmpty(await home.running(mosaic))

      await say(SECOND)
      await answer('done').getByText(ModelService.answer(2).join('')).waitFor()
      assert.isNotEmpty(await home.running(mosaic))

      const told = ModelService.told(service.calls.at(-1)!)
      assert.include(told, FIRST)
      assert.include(told, ModelService.answer(1).join(''))
      assert.include(told, SECOND)
      assert.include(told, PERSONALITY)
    })

    test('the official openai package has a conversation with the same agent', async ({
      assert,
    }) => {
      const { token } = await mosaic.aceJson<{ token: string }>('token:create', 'admin')
      api = new Api(mosaic.url, token)
      const openai = new OpenAI({ baseURL: `${mosaic.url}/v1`, apiKey: token, maxRetries: 0 })
      const models = await openai.models.list()
      assert.include(
        models.data.map(({ id }) => id),
        'openclaw'
      )

      const whole = await openai.chat.completions.create({
        model: 'openclaw',
        user: 'the-script',
        messages: [{ role: 'user', content: FIRST }],
      })
      assert.equal(whole.choices[0].message.content, ModelService.answer(3).join(''))

      service.hold()
      const stream = await openai.chat.completions.create({
        model: 'openclaw',
        user: 'the-script',
        messages: [{ role: 'user', content: SECOND }],
        stream: true,
      })
      const [begin, end] = ModelService.answer(4)
      let text = ''
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        if (text === begin) service.release()
      }
      assert.equal(text, `${begin}${end}`)
      assert.include(ModelService.told(service.calls.at(-1)!), ModelService.answer(3).join(''))
    })

    test('the web process finds the running agent again after a restart', async ({ assert }) => {
      const before = await home.running(mosaic)
      await mosaic.stop()
      assert.deepEqual(await home.running(mosaic), before)
      await mosaic.start()
      await open(`${mosaic.url}/chat`)
      await say(THIRD)
      await answer('done').getByText(ModelService.answer(5).join('')).waitFor()
      assert.deepEqual(await home.running(mosaic), before)
    })

    test('the conversations are listed by what was said first, and one goes when it is deleted', async ({
      assert,
    }) => {
      const list = () => api.ask<{ id: string; title: string }[]>('GET', '/api/v1/conversations')
      const titles = async () => (await list()).map((one) => one.title)
      assert.sameMembers(await titles(), [FIRST, FIRST, THIRD])
      await page.getByRole('button', { name: FIRST }).first().waitFor()

      const third = (await list()).find((one) => one.title === THIRD)!
      const path = `/api/v1/conversations/${third.id}`
      await api.ask('PATCH', path, { title: 'About the third', pinned: true })
      const [pinned] = await api.ask<{ title: string; pinned: boolean }[]>(
        'GET',
        '/api/v1/conversations?search=THE%20THIRD'
      )
      assert.equal(pinned.title, 'About the third')
      assert.isTrue(pinned.pinned)
      assert.equal((await list())[0].id, third.id)

      await api.ask('DELETE', path)
      assert.deepEqual(await titles(), [FIRST, FIRST])
    })

    test('a new personality reaches the agent while it runs', async ({ assert }) => {
      const before = await home.running(mosaic)
      await open(`${mosaic.url}/settings/agent`)
      await page.getByRole('textbox', { name: 'Personality' }).fill(NEW_PERSONALITY)
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Your agent uses the new settings from its next message on.').waitFor()

      await open(`${mosaic.url}/chat`)
      await say(THIRD)
      await answer('done').getByText(ModelService.answer(6).join('')).waitFor()
      assert.include(ModelService.told(service.calls.at(-1)!), NEW_PERSONALITY)
      assert.deepEqual(await home.running(mosaic), before)
    })

    home.tests?.(() => ({ mosaic, api }))

    test('no secret is found anywhere', async ({ assert }) => {
      const paths = ['/', '/chat', '/settings/providers', '/settings/agent', '/settings/tokens']
      const admin = ['overview', 'users', 'agents', 'system-agents', 'settings', 'audit']
      for (const path of [...paths, ...admin.map((name) => `/admin/${name}`)]) {
        await open(`${mosaic.url}${path}`)
        leaks.push(...canaries.inText(`page ${path}`, await page.content()))
      }
      for (const path of ['/me', '/providers', '/agent-config', '/agent', '/admin/settings']) {
        const text = await (await api.raw('GET', `/api/v1${path}`)).text()
        leaks.push(...canaries.inText(`answer of ${path}`, text))
      }
      const refused = await api.raw('POST', '/api/v1/providers/test', {
        type: 'custom',
        baseUrl: 'http://127.0.0.1:1/v1',
        apiKey: API_KEY,
        models: 'none',
      })
      leaks.push(...canaries.inText('an error answer', await refused.text()))

      const processes = processesOf(mosaic.folder)
      assert.include(processes, mosaic.pid)
      assert.isNotEmpty(await home.running(mosaic))
      leaks.push(
        ...canaries.inProcesses(processes),
        ...canaries.inDatabase(mosaic.databaseFile),
        ...canaries.inFiles(mosaic.folder),
        ...canaries.inText('the log', mosaic.log),
        ...(await home.leaks(mosaic, canaries))
      )
      assert.deepEqual(leaks, [])
    })
  })
}

/**
 * Reaps as if the agent's owner had been away for a day. May take a few attempts, because the web process
 * still writes the owner's activity for up to fifteen seconds.
 */
async function reapAfterADay(mosaic: MosaicProcess): Promise<void> {
  const deadline = Date.now() + REAP_DEADLINE_MS
  for (;;) {
    const database = new DatabaseSync(mosaic.databaseFile)
    database.exec("update user_containers set last_active_at = datetime('now', '-1 day')")
    const rows = database.prepare('select status, last_active_at from user_containers').all()
    database.close()
    const statistics = await mosaic.aceJson<{ stopped: number }>('reap:idle')
    if (statistics.stopped === 1) return
    if (Date.now() > deadline) {
      throw new Error(`No agent was put to sleep: ${JSON.stringify({ statistics, rows })}`)
    }
  }
}
