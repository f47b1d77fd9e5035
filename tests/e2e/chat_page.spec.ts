import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { test } from '@japa/runner'
import type { Browser, Page } from 'playwright'
import { dialGatewaysWith } from '#runtimes/gateway_connections'
import { ProcessDriver } from '#runtimes/drivers/process/driver'
import { callByHttp } from '#openclaw/gateway_rpc'
import { launchChromium } from '#tests/browser/chromium'
import { CutNetwork } from '#tests/browser/cut_network'
import type { Api } from '#tests/e2e/api'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { HELD_AFTER, PacedModel, WORDS } from '#tests/e2e/paced_model'
import { ACCOUNT, setUp } from '#tests/e2e/ready_mosaic'
import { textPdf } from '#tests/e2e/text_pdf'

/** A wake of the real OpenClaw on a busy machine, and restarts of Mosaic beside it. */
const TIMEOUT_MS = 400_000
const CUT_MS = 10_000

/** 16 by 16 pixels of red. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAF0lEQVR4nGP4z8BAEiJN9aiGUQ1DSgMAr7P/AQE8n1IAAAAASUVORK5CYII='

test.group('The chat page, with the real OpenClaw', (group) => {
  let mosaic: MosaicProcess
  let model: PacedModel
  let api: Api
  let browser: Browser
  let page: Page
  let network: CutNetwork

  group.setup(async () => {
    model = await new PacedModel().start()
    mosaic = new MosaicProcess()
    await mosaic.prepare()
    const provider = { type: 'custom', baseUrl: model.url, apiKey: 'any', model: PacedModel.MODEL }
    api = await setUp(mosaic, provider)
    network = await new CutNetwork(Number(new URL(mosaic.url).port)).start()
    browser = await launchChromium()
    const context = await browser.newContext()
    await context.request.post(`${mosaic.url}/api/v1/session`, { data: ACCOUNT })
    page = await context.newPage()
    page.setDefaultTimeout(TIMEOUT_MS)
    page.on('dialog', (dialog) => void dialog.accept())
    return async () => {
      await browser.close()
      await network.stop()
      await mosaic.end()
      await model.stop()
      dialGatewaysWith(async () => null)
    }
  })
  group.each.timeout(TIMEOUT_MS)
  group.each.setup(() => async (hasError) => {
    if (!hasError) return
    const seen = await page.innerText('body', { timeout: 5000 }).catch(String)
    console.error(`The page ${page.url()} says:\n${seen}\nMosaic says:\n${mosaic.log.slice(-6000)}`)
  })

  const say = async (text: string) => {
    await page.locator('#message').fill(text)
    await page.keyboard.press('Enter')
  }
  const answer = (state: string) =>
    page.locator(`[data-testid=message-agent][data-state=${state}]`).last()
  const newChat = () => page.goto(`${network.url}/chat`)

  test('goes on with an answer through a reload and a network that is gone for ten seconds', async ({
    assert,
  }) => {
    await newChat()
    await say('Please count')
    await answer('streaming')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()

    await page.reload()
    await answer('streaming')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()

    network.cut()
    await page.getByTestId('reconnecting').waitFor()
    await after(CUT_MS)
    network.mend()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
    await answer('streaming')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()

    model.release()
    await answer('done')
      .getByText(`word${WORDS - 1}`)
      .waitFor()
    assert.equal(await page.getByTestId('message-user').count(), 1)
    assert.equal(await page.getByTestId('message-agent').count(), 1)
    const text = await answer('done').innerText()
    for (let word = 0; word < WORDS; word++) assert.include(text, `word${word}`)
    await answer('done').getByText('100 tokens in, 20 out').waitFor()
    await answer('done').getByText(`work/${PacedModel.MODEL}`).waitFor()
  })

  test('shows the conversation after the agent was stopped and woken', async () => {
    await newChat()
    await say('Good morning')
    await answer('done').getByText('Done.').waitFor()
    await api.ask('POST', '/api/v1/agent/stop')
    await page.locator('[data-testid=agent-pill][data-mood=asleep]').waitFor()
    await page.reload()
    await page.getByTestId('message-user').getByText('Good morning').waitFor()
    await answer('done').getByText('Done.').waitFor()
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await say('Good evening')
    await page.getByTestId('message-user').nth(1).getByText('Good evening').waitFor()
    await page.locator('[data-testid=message-agent][data-state=done]').nth(1).waitFor()
  })

  test('has the model see a picture and read a PDF that were sent along', async ({ assert }) => {
    await newChat()
    const files = [
      { name: 'red.png', mimeType: 'image/png', buffer: Buffer.from(PNG, 'base64') },
      {
        name: 'parrot.pdf',
        mimeType: 'application/pdf',
        buffer: textPdf('The parrot is called Coco and lives in Porto. '.repeat(6)),
      },
    ]
    await page.getByTestId('file-picker').setInputFiles(files)
    await say('What do they show?')
    await answer('done').getByText('Done.').waitFor()
    const { said, system } = model.calls.at(-1)!
    assert.include(said, 'data:image/png;base64,')
    assert.include(said + system, 'The parrot is called Coco')

    await page.reload()
    const question = page.getByTestId('message-user')
    await question.getByText('parrot.pdf').waitFor()
    await shown(question.locator('img'))
  })

  test('shows a tool step while it runs and after a reload, and a picture of the agent', async () => {
    await api.ask('PUT', '/api/v1/agent-config', { profile: 'full' })
    await newChat()
    await say(`run: echo ${PNG} | base64 -d > red.png && echo made-it`)
    const tool = page.getByTestId('tool')
    await page.locator('[data-testid=tool][data-state=end]').waitFor()
    await answer('done').getByText('Done.').waitFor()
    await tool.locator('summary').click()
    await tool.getByText('made-it', { exact: true }).waitFor()
    await page.reload()
    await tool.locator('summary').click()
    await tool.getByText('made-it', { exact: true }).waitFor()

    await say('show: ./red.png')
    await answer('done').getByText('Here it is.').waitFor()
    await shown(answer('done').locator('img'))
    await page.reload()
    await shown(answer('done').locator('img'))
  })

  test('goes on with what the agent does while Mosaic restarts', async ({ assert }) => {
    await newChat()
    await say('run: while ! test -f go; do sleep 0.2; done; echo gone-on')
    const tool = page.getByTestId('tool')
    await tool.waitFor()
    await mosaic.stop()
    await page.getByTestId('reconnecting').waitFor()
    await mosaic.start()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
    await tool.waitFor()
    await page.getByTestId('stop').waitFor()
    writeFileSync(inWorkspace('go'), '')
    await answer('done').getByText('Done.').waitFor()
    assert.equal(await page.getByTestId('message-user').count(), 1)
    assert.equal(await page.getByTestId('message-agent').count(), 1)
  })

  test('ends what the agent does after a restart of Mosaic, if its owner stops it', async () => {
    await newChat()
    await say('run: while ! test -f never; do sleep 0.2; done')
    await page.getByTestId('tool').waitFor()
    await mosaic.stop()
    await mosaic.start()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
    await page.getByTestId('stop').click()
    await answer('stopped').waitFor()
    await say('Go on')
    await answer('done').getByText('Done.').waitFor()
    await page.reload()
    await page.getByTestId('message-user').last().getByText('Go on', { exact: true }).waitFor()
  })

  test('keeps what had arrived of an answer that a restart of Mosaic cut, and asks again', async () => {
    model.hold()
    await newChat()
    await say('Please count to the end')
    await answer('streaming')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()
    await mosaic.stop()
    await mosaic.start()
    await answer('failed')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()
    model.release()
    await page.getByTestId('chat-failure').getByRole('button', { name: 'Try again' }).click()
    await answer('done')
      .getByText(`word${WORDS - 1}`)
      .waitFor()
  })

  test('shows after a reload what its owner stopped, and that it was', async () => {
    model.hold()
    await newChat()
    await say('Please count until I stop you')
    await answer('streaming')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()
    await page.getByTestId('stop').click()
    await answer('stopped').waitFor()
    model.release()
    await page.reload()
    await answer('stopped')
      .getByText(`word${HELD_AFTER - 1}`)
      .waitFor()
  })

  test('asks what the agent wants to do, and the agent does what is allowed', async ({
    assert,
  }) => {
    await askBeforeCommands()
    await newChat()
    await say('run: touch asked.txt && echo allowed-it')
    const approval = page.getByTestId('approval').last()
    await approval.getByText('touch asked.txt').waitFor()
    await page.reload()
    await approval.getByText('touch asked.txt').waitFor()
    await approval.getByRole('button', { name: 'Allow once' }).click()
    await answer('done').getByText('Done.').waitFor()
    assert.isTrue(existsSync(inWorkspace('asked.txt')))

    await newChat()
    await say('run: touch refused.txt')
    await approval.getByText('touch refused.txt').waitFor()
    await approval.getByRole('button', { name: 'Deny' }).click()
    await answer('done').getByText('Done.').waitFor()
    assert.isFalse(existsSync(inWorkspace('refused.txt')))
  })

  /** Once the browser has drawn it. */
  const shown = (picture: ReturnType<Page['locator']>) =>
    picture.first().evaluate((image: any) => image.decode())

  function agentRow() {
    const database = new DatabaseSync(mosaic.databaseFile, { readOnly: true })
    const row = database.prepare('select endpoint, container_name from user_containers').get()
    database.close()
    return row as Record<'endpoint' | 'container_name', string>
  }

  const agentHome = () => join(mosaic.storage, 'agents', agentRow().container_name)
  const inWorkspace = (file: string) => join(agentHome(), 'state', 'workspace', file)

  /** Has the agent ask before each command, as its owner may set it up. */
  async function askBeforeCommands() {
    const { endpoint: url } = agentRow()
    const read = (file: string) => JSON.parse(readFileSync(join(agentHome(), file), 'utf8'))
    const paths = { storage: mosaic.storage, openclaw: [], entrypoint: '' }
    const driver = new ProcessDriver(paths, read('instance.json').installation)
    dialGatewaysWith((endpoint, signal) => driver.dial(endpoint, signal))

    const gateway = { url, token: read('secrets.json').token }
    const call = async (method: string, params: object) =>
      JSON.parse((await callByHttp(gateway, method, params, { timeoutMs: 20_000 })).text).payload
    const { hash } = await call('config.get', {})
    const raw = JSON.stringify({ tools: { exec: { mode: 'ask' } } })
    await call('config.patch', { raw, baseHash: hash })
  }
})
