import { test } from '@japa/runner'
import { busyFleet } from '#tests/browser/busy_fleet'
import app from '@adonisjs/core/services/app'
import { DateTime } from 'luxon'
import type { BrowserContext, Page } from 'playwright'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import type { SystemAgentInput } from '#agents/system_agents/system_agents'
import User from '#models/user'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { ORIGIN } from '#tests/browser/chromium'
import { holdAnswer } from '#tests/browser/held_answer'
import { giveDemoModel, openPage, readyInstallation, signIn } from '#tests/browser/installation'

const OPS: SystemAgentInput = {
  name: 'mosaic-system-ops',
  role: 'operations',
  primaryModel: 'demo/echo',
}

/** Makes a system agent, and opens a tab of the admin who made it once it is awake. */
async function openWithOps(context: BrowserContext): Promise<Page> {
  await signIn(context)
  const systemAgents = await app.container.make('agents.system')
  const user = await User.findByOrFail('role', 'admin')
  const { id } = await systemAgents.create(OPS, { user, address: '127.0.0.1' })
  await (await app.container.make('agents.lifecycle')).ensureRunning(`system/${id}`)
  return context.newPage()
}

test.group('The administration in a browser', (group) => {
  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await busyFleet()
    return restore
  })

  test('an agent that wakes is counted without a reload', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/admin/overview')
    await page.getByTestId('fleet-running').getByText('2', { exact: true }).waitFor()
    await page.getByTestId('agent-pill').click()
    await page.getByRole('button', { name: 'Wake it' }).click()
    await page.getByTestId('fleet-running').getByText('3', { exact: true }).waitFor()
  })

  test('a fleet on several machines shows the load of each', async ({
    browserContext,
    assert,
    cleanup,
  }) => {
    const page = await openPage(browserContext)
    const nodes = page.getByRole('region', { name: 'Nodes' })
    await page.goto(`${ORIGIN}/admin/overview`)
    await page.getByTestId('fleet-running').waitFor()
    assert.equal(await nodes.count(), 0)

    const memory = await (await app.container.make('runtime.manager')).use('memory')
    const spread = (memory as MemoryDriver).spread([{ name: 'worker-1' }, { name: 'worker-2' }])
    cleanup(() => (memory as MemoryDriver).reset())
    await spread.drain('id-worker-2')
    const { FleetNodes } = await import('#agents/fleet/fleet_nodes')
    const fresh = new FleetNodes(await app.container.make('agents.context'))
    app.container.bindValue('agents.nodes', fresh)
    await page.reload()
    await nodes.getByRole('row', { name: /worker-1 Takes agents 0 0 GB of 16 GB/ }).waitFor()
    await nodes.getByRole('row', { name: /worker-2 Drained/ }).waitFor()
  })

  test('what is left to do is ticked off, hidden, and shown again', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/admin/overview')
    const list = page.getByRole('region', { name: 'Remaining setup tasks' })
    await list.getByText('3 of 6 done').waitFor()
    await list.getByRole('button', { name: 'I have one' }).click()
    await list.getByText('4 of 6 done').waitFor()
    await list.getByRole('button', { name: 'Hide' }).click()
    await list.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Show it again' }).click()
    await list.getByText('4 of 6 done').waitFor()
  })

  test('an agent is found by its owner and by its state', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/admin/agents')
    await page.getByText('Emma Lindqvist').waitFor()
    await page.getByPlaceholder('Find a person').fill('volkov')
    await page.getByText('Emma Lindqvist').waitFor({ state: 'detached' })
    await page.getByText('Start timed out').waitFor()
    await page.getByPlaceholder('Find a person').fill('nobody at all')
    await page.getByText('No results').waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.getByText('Emma Lindqvist').waitFor()
  })

  test('a state that was told while the list was on its way is not undone by it', async ({
    browserContext,
  }) => {
    const owner = await User.findByOrFail('name', 'Chiara Conti')
    const row = await UserContainer.ownedBy(owner.id).firstOrFail()
    const page = await openPage(browserContext, '/admin/agents')
    const shown = page.getByRole('row').filter({ hasText: 'Chiara Conti' })
    await shown.getByText('Asleep').waitFor()
    const list = await holdAnswer(page, 'GET', /\/api\/v1\/admin\/agents\?.*chiara/)
    await page.getByPlaceholder('Find a person').fill('chiara')
    await list.held
    await row.merge({ status: 'running' }).save()
    ;(await app.container.make('agents.fleet_streams')).tell({ row })
    await shown.getByText('Awake').waitFor()
    await list.release()
    await page.getByText('Emma Lindqvist').waitFor({ state: 'detached' })
    await shown.getByText('Awake').waitFor()
  })

  test('what happened to a system agent while nobody could tell is caught up on', async ({
    browserContext,
  }) => {
    const page = await openWithOps(browserContext)
    await page.goto(`${ORIGIN}/admin/overview`)
    const agent = page.getByRole('listitem').filter({ hasText: OPS.name })
    await agent.getByText('Awake').waitFor()
    await SystemContainer.query().update({ status: 'stopped' })
    const streams = await app.container.make('agents.fleet_streams')
    streams.close()
    await agent.getByText('Asleep').waitFor()
  })

  test('what happened to a system agent before anybody could tell is caught up on', async ({
    browserContext,
  }) => {
    const page = await openWithOps(browserContext)
    const changed = Promise.withResolvers<void>()
    await page.route(/\/admin\/fleet\/events$/, async (route) => {
      await changed.promise
      await route.continue()
    })
    await page.goto(`${ORIGIN}/admin/overview`)
    const agent = page.getByRole('listitem').filter({ hasText: OPS.name })
    await agent.getByText('Awake').waitFor()
    /** Longer ago than the stream looks back. */
    const longAgo = DateTime.now().minus({ minutes: 1 }).toSQL()
    await SystemContainer.query().update({ status: 'stopped', updatedAt: longAgo })
    changed.resolve()
    await agent.getByText('Asleep').waitFor()
  })

  test('an agent gets limits of its own, and keeps them', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/admin/agents')
    await page.getByRole('button', { name: 'Limits of the agent of Chiara Conti' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Memory (MiB)').fill('64')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.locator('[aria-invalid="true"]').waitFor()
    await dialog.getByLabel('Memory (MiB)').fill('4096')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Chiara Conti, which are its own' }).click()
    assert.equal(await dialog.getByLabel('Memory (MiB)').inputValue(), '4096')
  })

  test('a system agent is made with limits, read, and deleted by its name, once', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/admin/system-agents')
    await page.getByRole('button', { name: 'Add a system agent' }).click()
    await page.getByLabel('Memory (MiB)').fill('1024')
    await page.getByRole('dialog').getByRole('button', { name: 'Add a system agent' }).click()
    await page.getByRole('cell').getByText('Awake').waitFor()

    await page.getByRole('button', { name: 'Log of mosaic-system-ops' }).click()
    await page.getByRole('dialog').getByText('The last lines of its log.').waitFor()
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Delete mosaic-system-ops' }).click()
    await page.getByLabel('Type mosaic-system-ops to confirm').fill('mosaic-system-ops')
    const deletion = await holdAnswer(page, 'DELETE', /\/admin\/system-agents\//)
    let deletions = 0
    page.on('request', (request) => (deletions += request.method() === 'DELETE' ? 1 : 0))
    await page.keyboard.press('Enter')
    await deletion.held
    await page.keyboard.press('Enter')
    await deletion.release()
    await page.getByText('There are no system agents').waitFor()
    assert.equal(deletions, 1)
  })
})
