import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import type User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'
import {
  giveDemoModel,
  holdWakes,
  openPage,
  readyInstallation,
  signIn,
} from '#tests/browser/installation'
import { SIZES } from '#tests/browser/pages'

/** Lists one conversation, which the agents' doubles do not tell. */
async function listMilk(page: Page) {
  const milk = { id: 'c1', surface: 'web', title: 'Remember the milk', preview: null }
  const data = [{ ...milk, updatedAt: new Date().toISOString() }]
  const meta = { total: 1, page: 1, limit: 50, totalPages: 1 }
  await page.route(/\/api\/v1\/conversations(\?.*)?$/, (route) =>
    route.fulfill({ json: { data, meta } })
  )
}

test.group('The pages', (group) => {
  let owner: User

  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    owner = admin
    await giveDemoModel(admin)
    return restore
  })

  test('keep their promises under a strict content policy', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    const response = await page.goto(`${ORIGIN}/login`)
    const policy = response!.headers()['content-security-policy']
    assert.match(policy, /script-src 'self' 'nonce-/)
    assert.match(policy, /connect-src 'self'/)
  })

  test('bring an agent back that rests, whichever is opened, and start none that sleeps', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    const agent = `user/${owner.id}` as const
    const { lifecycle, idleStopper } = await app.container.make('agents.services')
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/settings/appearance`)
    await page.locator('[data-testid=agent-pill][data-mood=asleep]').waitFor()

    await lifecycle.ensureRunning(agent)
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    await page.locator('[data-testid=agent-pill][data-mood=resting]').waitFor()
    await page.keyboard.press('Shift')
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()

    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    await page.locator('[data-testid=agent-pill][data-mood=resting]').waitFor()
    await page.evaluate(`dispatchEvent(new Event('focus'))`)
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()

    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    await page.reload()
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await lifecycle.stop(agent)
  })

  test('are all found with Ctrl K', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/chat')
    await page.locator('h1').first().waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Find a page or an action').fill('tokens')
    /** Until the results follow, Enter opens the first of all pages. */
    await page
      .getByRole('option')
      .first()
      .and(page.getByRole('option', { name: 'tokens' }))
      .waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${ORIGIN}/settings/tokens`)
  })

  test('and what is on them: a setting and a person lead to their place', async ({
    assert,
    browserContext,
  }) => {
    await UserFactory.merge({ name: 'Ana Sousa', email: 'ana@example.org' }).create()
    await UserFactory.merge({ name: 'Ben Okafor', email: 'ben@example.org' }).create()
    const page = await openPage(browserContext, '/chat')
    await page.locator('h1').first().waitFor()
    const find = async (term: string, what: string) => {
      await page.keyboard.press('Control+k')
      await page.getByPlaceholder('Find a page or an action').fill(term)
      await page.getByRole('option', { name: what }).click()
    }
    await find('mail.port', 'mail.port')
    await page.waitForURL(`${ORIGIN}/admin/settings#mail.port`)
    await page.getByLabel('Port').and(page.locator(':focus')).waitFor()

    await find('ana@example', 'Ana Sousa')
    await page.waitForURL(`${ORIGIN}/admin/users?search=ana%40example.org`)
    await page.getByRole('button', { name: 'Details of Ana Sousa' }).waitFor()
    assert.equal(await page.getByText('Ben Okafor').count(), 0)
  })

  test('and a conversation that began after they were looked for first', async ({
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await listMilk(page)
    await page.goto(`${ORIGIN}/settings/appearance`)
    await page.locator('[data-testid=agent-pill][data-mood=asleep]').waitFor()
    const term = page.getByPlaceholder('Find a page or an action')
    await page.keyboard.press('Control+k')
    await term.waitFor()
    await page.keyboard.press('Escape')
    await term.waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Chat' }).click()
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await page.keyboard.press('Control+k')
    await term.fill('milk')
    await page.getByRole('option', { name: 'Remember the milk' }).waitFor()
  })

  test('and a conversation beyond the first ones', async ({ browserContext }) => {
    const page = await openPage(browserContext)
    const item = { id: 'c51', surface: 'web', title: 'Remember the milk', pinned: false }
    await page.route(/\/api\/v1\/conversations(\?.*)?$/, (route) => {
      const isFound = new URL(route.request().url()).searchParams.get('search') === 'milk'
      const data = isFound ? [{ ...item, preview: null, updatedAt: new Date().toISOString() }] : []
      return route.fulfill({
        json: { data, meta: { total: 51, page: 1, limit: 50, totalPages: 2 } },
      })
    })
    await page.goto(`${ORIGIN}/chat`)
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Find a page or an action').fill('milk')
    await page.getByRole('option', { name: 'Remember the milk' }).waitFor()
  })

  test('and a conversation of an agent that was waking when they were looked for', async ({
    browserContext,
  }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext)
    await listMilk(page)
    await page.goto(`${ORIGIN}/chat`)
    await page.locator('[data-testid=agent-pill][data-mood=waking]').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Find a page or an action').fill('milk')
    await page.getByText('No results').waitFor()
    wake()
    await page.getByRole('option', { name: 'Remember the milk' }).waitFor()
  })

  test('remember light or dark', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/appearance')
    await page.locator('main button').first().click()
    await page.getByRole('option', { name: 'Dark' }).click()
    await page.locator('html.dark').waitFor({ state: 'attached' })
    await page.reload()
    assert.equal(await page.locator('html.dark').count(), 1)
  })

  test('are in a menu of its own name where the screen is narrow', async ({ browserContext }) => {
    const page = await openPage(browserContext)
    await page.setViewportSize(SIZES.narrow)
    await page.goto(`${ORIGIN}/settings/sessions`)
    await page.getByRole('button', { name: 'Open sidebar' }).click()
    const menu = page.getByRole('dialog', { name: 'Menu' })
    await menu.getByRole('link', { name: 'Appearance' }).click()
    await page.waitForURL(`${ORIGIN}/settings/appearance`)
    await menu.waitFor({ state: 'detached' })
  })

  test('that do not exist say so', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const response = await page.goto(`${ORIGIN}/nowhere`)
    assert.equal(response!.status(), 404)
    await page.getByText('There is nothing at this address').waitFor()
  })
})
