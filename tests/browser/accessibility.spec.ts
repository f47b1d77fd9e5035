import { test } from '@japa/runner'
import { ORIGIN } from '#tests/browser/chromium'
import {
  freshInstallation,
  openPage,
  readyWithModel,
  setupToken,
} from '#tests/browser/installation'
import { barriers, settled } from '#tests/browser/page_measures'

test.group('No barriers', (group) => {
  group.each.setup(readyWithModel)

  test('on a conversation', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/chat')
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
