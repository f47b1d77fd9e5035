import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import { ORIGIN } from '#tests/browser/chromium'
import { giveDemoModel, readyInstallation, signIn } from '#tests/browser/installation'
import { watchPage } from '#tests/browser/page_watch'
import app from '@adonisjs/core/services/app'

/** Where people arrive. */
const FIRST_PAGES = ['/login', '/chat', '/admin/overview']

/** Compressed script that a first page may load. */
const SCRIPT_BUDGET = 250 * 1024

const PAGES = [
  '/chat',
  '/settings/providers',
  '/settings/agent',
  '/settings/tokens',
  '/settings/sessions',
  '/settings/appearance',
  '/admin/overview',
  '/admin/users',
  '/admin/authentication',
  '/admin/agents',
  '/admin/system-agents',
  '/admin/settings',
  '/admin/audit',
]

test.group('The pages', (group) => {
  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    return restore
  })

  test('open without an error and call nobody but Mosaic', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    const watch = watchPage(page)
    for (const address of PAGES) {
      await page.goto(`${ORIGIN}${address}`)
      await page.locator('h1').first().waitFor()
      await page.locator('main [aria-busy="true"]').first().waitFor({ state: 'detached' })
    }
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('keep their promises under a strict content policy', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    const response = await page.goto(`${ORIGIN}/login`)
    const policy = response!.headers()['content-security-policy']
    assert.match(policy, /script-src 'self' 'nonce-/)
    assert.match(policy, /connect-src 'self'/)
  })

  test('load no more script than the budget', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    for (const address of FIRST_PAGES) {
      const page = await browserContext.newPage()
      const scripts = new Set<string>()
      page.on('request', (request) => {
        if (request.resourceType() === 'script') scripts.add(new URL(request.url()).pathname)
      })
      await page.goto(`${ORIGIN}${address}`)
      await page.waitForLoadState('networkidle').catch(() => {})
      let size = 0
      for (const path of scripts) {
        size += gzipSync(await readFile(app.publicPath(path.slice(1)))).length
      }
      assert.isBelow(size, SCRIPT_BUDGET, `${address} loads ${Math.round(size / 1024)} kB`)
      await page.close()
    }
  })

  test('are all found with Ctrl K', async ({ browserContext }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/chat`)
    await page.locator('h1').first().waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Find a page or an action').fill('tokens')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${ORIGIN}/settings/tokens`)
  })

  test('remember light or dark', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/settings/appearance`)
    await page.locator('main button').first().click()
    await page.getByRole('option', { name: 'Dark' }).click()
    await page.locator('html.dark').waitFor({ state: 'attached' })
    await page.reload()
    assert.equal(await page.locator('html.dark').count(), 1)
  })

  test('that do not exist say so', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    const response = await page.goto(`${ORIGIN}/nowhere`)
    assert.equal(response!.status(), 404)
    await page.getByText('There is nothing at this address').waitFor()
  })
})
