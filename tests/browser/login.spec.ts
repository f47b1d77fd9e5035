import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { ACCOUNT, openPage, readyInstallation } from '#tests/browser/installation'
import { watchPage } from '#tests/browser/page_watch'

test.group('Signing in with a browser', (group) => {
  group.each.setup(async () => (await readyInstallation()).restore)

  test('leads to the page that was asked for', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    const watch = watchPage(page)
    await page.goto(`${ORIGIN}/settings/tokens`)
    await page.waitForURL(`${ORIGIN}/login`)
    await page.getByLabel('Username').fill(ACCOUNT.username)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${ORIGIN}/settings/tokens`)
    await page.getByRole('heading', { name: 'Access tokens', exact: true }).waitFor()
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('tells plainly that the name or the password is wrong', async ({
    assert,
    browserContext,
  }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/login`)
    await page.getByLabel('Username').fill(ACCOUNT.username)
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The name or the password is wrong.').waitFor()
    assert.equal(await page.getByLabel('Username').inputValue(), ACCOUNT.username)
  })

  test('asks for what is missing, at its field', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/login`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.equal(await page.locator('[aria-invalid="true"]').count(), 2)
  })

  test('sends who is signed in on, and out again', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/login')
    await page.waitForURL(`${ORIGIN}/chat`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${ORIGIN}/login`)
  })

  test('shows nobody who goes back whose page it was', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const sees = await watchFor(page, ACCOUNT.username)
    await visitTwo(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Username').waitFor()
    assert.isTrue(await sees.before())
    await goBackToSignIn(page)
    assert.isFalse(await sees.since())
  })

  test('shows nobody either after the session was ended elsewhere', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const sees = await watchFor(page, ACCOUNT.username)
    await visitTwo(page)
    await db.from('sessions').delete()
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByLabel('Username').waitFor()
    assert.isTrue(await sees.before())
    await goBackToSignIn(page)
    assert.isFalse(await sees.since())
  })
})

/** Two pages of a person, the second without a load: the browser keeps both. */
async function visitTwo(page: Page) {
  await page.goto(`${ORIGIN}/settings/tokens`)
  await page.getByRole('link', { name: 'Appearance' }).click()
  await page.waitForURL(`${ORIGIN}/settings/appearance`)
}

async function goBackToSignIn(page: Page) {
  await page.goBack()
  await page.waitForURL(`${ORIGIN}/login`)
  await page.getByLabel('Username').waitFor()
}

/** Notes whether a text was on the page at any moment, over loads of new documents too. */
async function watchFor(page: Page, text: string) {
  await page.addInitScript(`new MutationObserver(() => {
    if (document.body?.innerText.includes(${JSON.stringify(text)})) sessionStorage.setItem('seen', 'yes')
  }).observe(document, { childList: true, subtree: true })`)
  const since = () => page.evaluate<boolean>("sessionStorage.getItem('seen') === 'yes'")
  /** Whether it was seen until now; from here on it is looked for anew. */
  async function before() {
    const seen = await since()
    await page.evaluate("sessionStorage.removeItem('seen')")
    return seen
  }
  return { before, since }
}
