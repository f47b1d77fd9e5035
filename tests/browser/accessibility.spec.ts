import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import {
  freshInstallation,
  giveDemoModel,
  readyInstallation,
  setupToken,
  signIn,
} from '#tests/browser/installation'

/** Run by the browser's debugger, which the pages' policy does not bind. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

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

interface Violation {
  id: string
  impact: string | null
  nodes: { html: string }[]
}

/** What shuts people out of the page as it is, in light and in dark: rule, impact and place. */
async function barriers(page: Page): Promise<string[]> {
  const found = new Set<string>()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.evaluate(AXE)
    const violations = (await page.evaluate(
      'axe.run().then(({ violations }) => violations)'
    )) as Violation[]
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      for (const { html } of nodes) found.add(`${id} (${impact}, ${colorScheme}): ${html}`)
    }
  }
  return [...found]
}

async function settled(page: Page) {
  await page.locator('h1').first().waitFor()
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
}

test.group('No barriers', (group) => {
  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    return restore
  })

  for (const address of PAGES) {
    test(`on ${address}`, async ({ assert, browserContext }) => {
      await signIn(browserContext)
      const page = await browserContext.newPage()
      await page.goto(`${ORIGIN}${address}`)
      await settled(page)
      assert.deepEqual(await barriers(page), [])
    })
  }

  test('on a conversation', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/chat`)
    await page.locator('#message').fill('**Hello**\n\n```ts\nconst a = 1\n```')
    await page.keyboard.press('Enter')
    await page.locator('[data-testid=message-agent][data-state=done]').waitFor()
    await settled(page)
    assert.deepEqual(await barriers(page), [])
  })

  test('on the login page', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/login`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.deepEqual(await barriers(page), [])
  })
})

test.group('No barriers in the set-up', (group) => {
  group.each.setup(freshInstallation)

  test('on any step', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    const found: string[] = []
    const look = async () => found.push(...(await barriers(page)))

    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
    await look()
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
    await look()
    await page.getByRole('button', { name: 'Skip for now' }).click()
    await page.getByTestId('type-openai').click()
    await look()
    await page.getByTestId('type-demo').click()
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('button', { name: 'Add a system agent' }).click()
    await look()
    await page.getByRole('button', { name: 'Skip for now' }).click()
    await page.getByText('Everything is ready').waitFor()
    await look()
    assert.deepEqual(found, [])
  })
})
