import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { giveLocalAccount, openPage, readyWithModel, signIn } from '#tests/browser/installation'
import { past, questions, toldPage } from '#tests/browser/told_chat'

const GRACE = { username: 'grace', password: 'an honest password' }

/** Opens the agent's settings with a personality that is written and not saved. */
async function written(page: Page) {
  await page.goto(`${ORIGIN}/settings/agent`)
  const personality = page.locator('textarea')
  await personality.click()
  await page.keyboard.type('You are brief.')
  return personality
}

const question = (page: Page) => page.getByRole('dialog', { name: 'Leave without saving?' })
const agree = (page: Page) => question(page).getByRole('button', { name: 'Leave' }).click()
const toSessions = (page: Page) => page.getByRole('link', { name: 'Sessions' }).click()

/** A loss is agreed to for one way out, and not for the next one. */
test.group('Leaving a page in a browser', (group) => {
  group.each.setup(readyWithModel)

  test('is asked about again after a way out that failed', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const personality = await written(page)
    await page.route(/\/api\/v1\/session$/, (route) =>
      route.fulfill({
        status: 503,
        json: { errors: [{ code: 'E_DRAINING', message: 'Mosaic restarts.' }] },
      })
    )
    await page.getByRole('button', { name: 'Sign out' }).click()
    await agree(page)
    await page.getByText('Mosaic restarts.').first().waitFor()

    await toSessions(page)
    await page.route(/\/settings\/sessions$/, (route) => route.abort())
    await page.evaluate(
      "void (window.over = new Promise((over) => document.addEventListener('inertia:finish', over)))"
    )
    await agree(page)
    await page.evaluate('window.over.then(() => {})')

    await toSessions(page)
    await question(page).getByRole('button', { name: 'Cancel' }).click()
    assert.equal(await personality.inputValue(), 'You are brief.')
  })

  test('is asked about once where the server leads to another document', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await written(page)
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    const location = { 'x-inertia-location': `${ORIGIN}/settings/sessions` }
    await page.route(
      /\/settings\/sessions$/,
      (route) => route.fulfill({ status: 409, headers: location }),
      { times: 1 }
    )
    await toSessions(page)
    const loaded = page.waitForEvent('load')
    await agree(page)
    await loaded
    assert.equal(page.url(), `${ORIGIN}/settings/sessions`)
    assert.deepEqual(asked, [])
  })

  test('is asked about when Back leads to another conversation, whose page starts empty', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.waitForURL(`${ORIGIN}/chat`)
    const buffer = Buffer.from('FROM scratch')
    const file = { name: 'Dockerfile', mimeType: '', buffer }
    await page.locator('input[type=file]').setInputFiles(file)
    const picked = page.getByRole('button', { name: 'Remove Dockerfile' })
    await picked.waitFor()
    await page.evaluate('history.back()')
    await question(page).getByRole('button', { name: 'Cancel' }).click()
    await question(page).waitFor({ state: 'detached' })
    assert.isTrue(await picked.isVisible())
    await page.evaluate('history.back()')
    await agree(page)
    await page.waitForURL(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    /** Nothing is left to lose. */
    await page.getByRole('link', { name: 'Tasks' }).click()
    await page.waitForURL(`${ORIGIN}/tasks`)
  })

  test('asks nobody where somebody else has signed in', async ({ browserContext }) => {
    await giveLocalAccount(GRACE)
    const page = await openPage(browserContext)
    await written(page)
    page.on('dialog', (dialog) => void dialog.dismiss())
    await signIn(browserContext, GRACE)
    const other = await browserContext.newPage()
    await other.goto(`${ORIGIN}/settings/appearance`)
    await page.getByText(GRACE.username, { exact: true }).waitFor()
  })
})
