import { test } from '@japa/runner'
import { ORIGIN } from '#tests/browser/chromium'
import { ACCOUNT, freshInstallation, setupToken, setUpByHand } from '#tests/browser/installation'
import { holdAnswer } from '#tests/browser/held_answer'
import { watchPage } from '#tests/browser/page_watch'

test.group('The set-up in a browser', (group) => {
  group.each.setup(freshInstallation)

  test('leads from the setup link to a chat', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    const watch = watchPage(page)
    const token = await setupToken()

    await page.goto(`${ORIGIN}/onboarding?token=${token}`)
    await page.getByText('Taken from your setup link.').waitFor()
    await page.waitForURL(`${ORIGIN}/onboarding`)
    assert.notInclude(await page.content(), token)

    await setUpByHand(page)
    await page.getByRole('button', { name: 'Finish and open the chat' }).click()
    await page.waitForURL(`${ORIGIN}/chat`)

    await page.locator('#message').fill('Hello there')
    await page.keyboard.press('Enter')
    await page.getByTestId('message-agent').getByText('Turn 1: Hello there').waitFor()
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('begins in a browser that stores nothing', async ({ browserContext }) => {
    const page = await browserContext.newPage()
    await page.addInitScript(
      "for (const verb of ['getItem', 'setItem', 'removeItem']) Storage.prototype[verb] = () => { throw new Error('refused') }"
    )
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByText('Taken from your setup link.').waitFor()
    await page.getByLabel('Username').waitFor()
  })

  test('asks before what was typed is lost', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByLabel('Issuer address').fill('https://id.example.org')
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    await page.reload()
    assert.deepEqual(asked, ['beforeunload'])
    await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
    await page.reload()
    assert.deepEqual(asked, ['beforeunload'])
  })

  test('does a step once, however long the next one is on its way', async ({
    assert,
    browserContext,
  }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    const next = await holdAnswer(page, 'GET', /\/api\/v1\/onboarding$/)
    await page.keyboard.press('Enter')
    await next.held
    await page.keyboard.press('Enter')
    assert.equal(await page.getByText('This field is required.').count(), 0)
    await next.release()
    await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  })

  test('is where every page leads until it is finished', async ({ assert, browserContext }) => {
    const page = await browserContext.newPage()
    for (const address of ['/', '/chat', '/login', '/admin/users']) {
      await page.goto(`${ORIGIN}${address}`)
      assert.equal(new URL(page.url()).pathname, '/onboarding')
    }
  })

  test('says at its field what is wrong, and keeps what was typed', async ({
    assert,
    browserContext,
  }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding`)
    await page.getByLabel('Setup token').fill('not-the-token-of-this-installation')
    const password = page.getByLabel('Password', { exact: true })
    await password.fill('short')
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByText('The password is shorter than 12 characters.').waitFor()
    assert.equal(await page.locator('input:focus').inputValue(), 'short')

    await password.fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByText('This setup link is not the one of this installation.').waitFor()
    assert.equal(await password.inputValue(), ACCOUNT.password)
  })

  test('goes on where it was left, after signing in again', async ({ browserContext }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()

    await browserContext.clearCookies()
    await page.goto(`${ORIGIN}/onboarding`)
    await page.getByText('Sign in with the account you created').waitFor()
    await page.getByLabel('Username').fill(ACCOUNT.username)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  })

  test('tells why an identity provider cannot be used', async ({ browserContext }) => {
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByLabel('Issuer address').fill('http://127.0.0.1:1')
    await page.getByLabel('Client ID').fill('mosaic')
    await page.getByLabel('Client secret').fill('secret')
    await page.getByRole('button', { name: 'Check and save' }).click()
    await page.locator('[aria-invalid="true"]').waitFor()
  })
})
