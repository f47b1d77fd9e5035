import { test } from '@japa/runner'
import type { BrowserContext, Page } from 'playwright'
import settings from '#settings/services/main'
import { ORIGIN } from '#tests/browser/chromium'
import { giveLocalAccount, openPage, readyWithModel, signIn } from '#tests/browser/installation'
import { holdAnswer } from '#tests/browser/held_answer'
import { echo, past, questions, toldPage } from '#tests/browser/told_chat'

const GRACE = { username: 'grace', password: 'an honest password' }
const LIST = /\/api\/v1\/conversations(\?.*)?$/

const refusal = (code: string, message: string) => ({
  status: 503,
  json: { errors: [{ code, message }] },
})

/** Notes the bodies that are sent with `method` to an address. */
function bodies(page: Page, method: string, address: RegExp): any[] {
  const sent: any[] = []
  page.on('request', (request) => {
    if (request.method() === method && address.test(request.url())) {
      sent.push(request.postDataJSON())
    }
  })
  return sent
}

/** Pages neither lose data nor show stale data silently. */
test.group('Pages in a browser', (group) => {
  group.each.setup(readyWithModel)

  test('show days in the time zone of their reader', async ({ assert, browser, cleanup }) => {
    const context: BrowserContext = await browser.newContext({ timezoneId: 'America/New_York' })
    cleanup(() => context.close())
    const page = await openPage(context, '/admin/audit')
    /** Filled slowly, the first day is asked for alone. */
    const asked = page.waitForRequest(/[?&]to=/)
    await page.getByLabel('From', { exact: true }).fill('2026-07-04')
    await page.getByLabel('Until').fill('2026-07-04')
    const query = new URL((await asked).url()).searchParams
    assert.equal(query.get('from'), '2026-07-04T04:00:00.000Z')
    assert.equal(query.get('to'), '2026-07-05T03:59:59.000Z')

    await page.goto(`${ORIGIN}/tasks`)
    const changes = bodies(page, 'PATCH', /\/tasks\//)
    const added = bodies(page, 'POST', /\/tasks$/)
    await page.getByRole('button', { name: 'Add a task' }).click()
    const form = page.getByRole('dialog')
    await form.getByLabel('Title').fill('Pay')
    await form.getByLabel('Due').fill('2026-12-01')
    await form.getByRole('button', { name: 'Add a task' }).click()
    await page.getByRole('button', { name: 'Edit Pay' }).click()
    assert.equal(await form.getByLabel('Due').inputValue(), '2026-12-01')
    await form.getByLabel('Title').fill('Pay the invoice')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Pay the invoice' }).waitFor()
    assert.equal(added[0].dueAt, '2026-12-02T04:59:59.000Z')
    assert.lengthOf(changes, 1)
    assert.notProperty(changes[0], 'dueAt')
  })

  test('keep a stored secret that is not replaced after all', async ({
    assert,
    browserContext,
  }) => {
    await settings.set('mail.password', 'a secret of the mail server')
    const page = await openPage(browserContext, '/admin/settings')
    const sent = bodies(page, 'PATCH', /\/admin\/settings$/)
    const row = page.locator('[id="mail.password"]')
    await row.getByRole('button', { name: 'Replace' }).click()
    await row.locator('input').fill('other')
    await row.locator('input').fill('')
    await page.getByLabel('Port').fill('2525')
    await page.getByText('1 change', { exact: true }).waitFor()
    await row.getByRole('button', { name: 'Keep the current one' }).click()
    await row.getByRole('button', { name: 'Replace' }).waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1 change', { exact: true }).waitFor({ state: 'detached' })
    assert.deepEqual(sent, [{ 'mail.port': 2525 }])
  })

  test('keep what another tab has changed of the agent', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/agent')
    const sent = bodies(page, 'PUT', /\/agent-config$/)
    await page.locator('textarea').fill('You are brief.')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    assert.deepEqual(sent, [{ personality: 'You are brief.' }])
  })

  test('keep what another tab has changed while this one saved', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const read = page.waitForResponse(/\/agent-config$/)
    await page.goto(`${ORIGIN}/settings/agent`)
    const { data } = await (await read).json()
    const stored = { ...data, personality: 'You are brief.', wakeEarly: !data.wakeEarly }
    const saved = await holdAnswer(page, 'PUT', /\/agent-config$/, { data: stored })
    await page.locator('textarea').fill('You are brief.')
    await page.getByRole('button', { name: 'Save' }).click()
    await saved.held
    await page.locator('textarea').fill('You are kind.')
    await saved.release()
    const again = page.waitForRequest((request) => request.method() === 'PUT')
    await page.getByRole('button', { name: 'Save' }).click()
    assert.deepEqual((await again).postDataJSON(), { personality: 'You are kind.' })
  })

  test('show a conversation’s own model, and say that a list failed', async ({
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    await page.route(/\/conversations\/c1$/, async (route) => {
      const messages = [past('user', 'Before')]
      const told = { id: 'c1', surface: 'web', title: null, messages, nextCursor: null }
      await route.fulfill({ json: { data: { ...told, model: 'demo/echo' } } })
    })
    const item = { id: 'c2', surface: 'web', title: 'Owls', pinned: false, preview: null }
    const data = [{ ...item, updatedAt: new Date().toISOString() }]
    const meta = { total: 1, page: 1, limit: 50, totalPages: 1 }
    await page.route(LIST, (route) =>
      route.fulfill(
        route.request().url().includes('search=')
          ? refusal('E_DRAINING', 'Not now.')
          : { json: { data, meta } }
      )
    )
    await page.route(/\/api\/v1\/providers/, (route) =>
      route.fulfill(refusal('E_DRAINING', 'No providers now.'))
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    const choice = page.getByRole('button', { name: 'Model: demo/echo' })
    await choice.press('Enter')
    await page.getByRole('menuitem', { name: 'No providers now.' }).waitFor()
    await page.getByRole('menuitem', { name: 'Try again' }).waitFor()
    await page.keyboard.press('Escape')
    /** The menu gives the focus back, and what is typed before that would miss its field. */
    await choice.and(page.locator(':focus')).waitFor()

    await page.getByPlaceholder('Search conversations').fill('tax')
    const list = page.getByRole('navigation', { name: 'Conversations' })
    await list.getByText('Refresh failed').waitFor()
    await list.getByRole('button', { name: 'Try again' }).waitFor()
  })

  test('are loaded again for another person', async ({ browserContext }) => {
    await giveLocalAccount(GRACE)
    const page = await openPage(browserContext, '/chat')
    await page.locator('#message').fill('A word in confidence')
    await signIn(browserContext, GRACE)
    const other = await browserContext.newPage()
    await other.goto(`${ORIGIN}/settings/appearance`)
    await page.getByText(GRACE.username, { exact: true }).waitFor()
    await page.locator('#message:placeholder-shown').waitFor()
  })

  test('offer to load again where a part of them is gone', async ({ browserContext }) => {
    const page = await openPage(browserContext)
    await page.route(/\/command_palette-[^/]+\.js$/, (route) => route.fulfill({ status: 404 }))
    await page.goto(`${ORIGIN}/settings/appearance`)
    await page.getByTestId('agent-pill').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByText('Part of this page could not be loaded.').first().waitFor()
    await page.unrouteAll()
    await page.getByRole('button', { name: 'Reload' }).click()
    await page
      .getByText('Part of this page could not be loaded.')
      .first()
      .waitFor({ state: 'detached' })
    await page.getByTestId('agent-pill').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Find a page or an action').waitFor()
  })

  test('say so where a proxy answers with a page of its own, and show no empty list', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.route(/\/api\/v1\/tokens/, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<h1>Sign in to the network</h1>' })
    )
    await page.goto(`${ORIGIN}/settings/tokens`)
    await page.getByText('Mosaic sent a response that this page cannot read.').waitFor()
    assert.equal(await page.getByText('You have no access tokens').count(), 0)
    await page.unrouteAll()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('You have no access tokens').waitFor()
  })

  test('connect again where a connection has died silently', async ({ browserContext }) => {
    const page = await openPage(browserContext)
    await page.clock.install()
    const watched = page.waitForRequest(/\/agent\/events$/)
    await page.goto(`${ORIGIN}/settings/appearance`)
    await watched
    await page.clock.pauseAt(Date.now() + 60_000)
    const again = page.waitForRequest(/\/agent\/events$/)
    await page.clock.fastForward(60_000)
    await again
  })

  test('keep a reader signed in whose sign-out is refused', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    await page.route(/\/api\/v1\/session$/, (route) =>
      route.fulfill(refusal('E_DRAINING', 'Mosaic restarts.'))
    )
    await page.goto(`${ORIGIN}/settings/appearance`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('Mosaic restarts.').first().waitFor()
    assert.equal(page.url(), `${ORIGIN}/settings/appearance`)
  })

  test('offer the ways to sign in again after they could not be read', async ({
    browser,
    cleanup,
  }) => {
    const context: BrowserContext = await browser.newContext()
    cleanup(() => context.close())
    const page = await context.newPage()
    await page.route(/\/api\/v1\/sign-in$/, (route) =>
      route.fulfill(refusal('E_DRAINING', 'Mosaic restarts.'))
    )
    await page.goto(`${ORIGIN}/login`)
    await page.getByText('Mosaic restarts.').waitFor()
    await page.unrouteAll()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Mosaic restarts.').waitFor({ state: 'detached' })
  })

  test('ask once to start an agent whose start is refused', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    await page.route(/\/api\/v1\/agent$/, (route) =>
      route.fulfill({ json: { data: { status: 'resting' } } })
    )
    await page.route(/\/agent\/events$/, (route) => route.fulfill({ status: 503 }))
    const START = /\/agent\/start$/
    const starts = bodies(page, 'POST', START)
    await page.route(START, (route) => route.fulfill(refusal('E_AGENT_START_FAILED', 'Not now.')))
    const refused = page.waitForResponse(START)
    await page.goto(`${ORIGIN}/settings/appearance`)
    await (await refused).finished()
    await echo(page, '/api/v1/agent/start')
    await page.keyboard.press('Shift')
    await echo(page, '/api/v1/agent/start')
    assert.lengthOf(starts, 1)
  })

  test('ask no more about a fleet that somebody may no longer see', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.clock.install()
    const EVENTS = /\/admin\/fleet\/events$/
    const asked = bodies(page, 'GET', EVENTS)
    await page.route(EVENTS, (route) => route.fulfill({ status: 403 }))
    await page.route(/\/admin\/fleet$/, (route) =>
      route.fulfill({ ...refusal('E_FORBIDDEN', 'This is for admins.'), status: 403 })
    )
    const looked = page.waitForResponse(/\/admin\/fleet$/)
    await page.goto(`${ORIGIN}/admin/agents`)
    await (await looked).finished()
    await echo(page, '/api/v1/admin/fleet')
    await page.clock.pauseAt(Date.now() + 60_000)
    await page.clock.fastForward(20_000)
    await echo(page, '/api/v1/admin/fleet/events')
    assert.lengthOf(asked, 1)
  })
})
