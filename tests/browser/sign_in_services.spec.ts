import { test } from '@japa/runner'
import settings from '#settings/services/main'
import User from '#models/user'
import { GITHUB, SocialService } from '#tests/doubles/social_service'
import { ORIGIN } from '#tests/browser/chromium'
import { barriers, settled } from '#tests/browser/page_measures'
import {
  ACCOUNT,
  giveDemoModel,
  giveSignInService,
  openPage,
  readyInstallation,
} from '#tests/browser/installation'

const ADA = {
  id: 1815,
  login: 'ada',
  name: 'Ada Lovelace',
  email: null,
  emails: [{ email: 'ada@example.test', primary: true, verified: true }],
}

test.group('Signing in with GitHub in a browser', (group) => {
  let github: SocialService

  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    github = await SocialService.start(GITHUB)
    return async () => {
      await github.close()
      await restore()
    }
  })

  test('an admin switches it on and tries it, a person comes in, and the local admin still does', async ({
    assert,
    browser,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/admin/authentication')
    await page.getByRole('button', { name: 'Set up GitHub' }).click()
    await page.getByText('/auth/github/callback').waitFor()
    await page.getByText('What Mosaic cannot check with GitHub').waitFor()
    const form = page.getByRole('dialog')
    await form.getByLabel('GitHub server').fill(`${github.url}/path`)
    await form.getByLabel('Client ID').fill(SocialService.CLIENT.clientId)
    await form.getByLabel('Client secret').fill(SocialService.CLIENT.clientSecret)
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('Enter the address of the server alone.').waitFor()
    await form.getByLabel('GitHub server').fill(github.url)
    await form.getByLabel('New users').click()
    await page.getByRole('option', { name: 'Anyone who has an account there' }).click()
    await form.getByRole('button', { name: 'Save' }).click()
    await form.waitFor({ state: 'hidden' })
    const row = page.getByTestId('service-github')
    await row.getByText('On', { exact: true }).waitFor()

    github.as({ ...ADA, id: 7 })
    await row.getByRole('link', { name: 'Test sign-in with GitHub' }).click()
    await page.getByRole('link', { name: 'Authorize Mosaic' }).click()
    await page.getByText('The test signed in as 7.').waitFor()

    const context = await browser.newContext()
    const visitor = await context.newPage()
    await visitor.goto(`${ORIGIN}/login`)
    const way = visitor.getByRole('link', { name: 'Continue with GitHub' })
    await way.waitFor()
    assert.equal(await visitor.getByLabel('Username').count(), 0, 'the quiet second way')
    github.as(ADA)
    await way.click()
    await visitor.getByRole('link', { name: 'Authorize Mosaic' }).click()
    await visitor.waitForURL(`${ORIGIN}/chat`)
    const user = await User.findByOrFail('oidc_subject', '1815')
    assert.include(user.$attributes, { oidcIssuer: github.url, role: 'member' })

    await visitor.goto(`${ORIGIN}/settings/sessions`)
    await visitor.getByText('GitHub', { exact: true }).first().waitFor()

    await github.close()
    const last = await browser.newContext()
    const local = await last.newPage()
    await local.goto(`${ORIGIN}/login`)
    await local.getByRole('button', { name: 'With a password' }).click()
    await local.getByLabel('Username').fill(ACCOUNT.username)
    await local.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await local.getByRole('button', { name: 'Sign in' }).click()
    await local.waitForURL(`${ORIGIN}/chat`)
    await Promise.all([context.close(), last.close()])
    github = await SocialService.start(GITHUB)
  })

  test('the password field comes back with the reason where a sign-in is refused', async ({
    browser,
  }) => {
    await giveSignInService('github', github.url)
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${ORIGIN}/login`)
    github.as(ADA)
    await page.getByRole('link', { name: 'Continue with GitHub' }).click()
    await page.getByRole('link', { name: 'Authorize Mosaic' }).click()
    await page.waitForURL(`${ORIGIN}/login`)
    await page.getByText('Only invited people can sign in to this installation.').waitFor()
    await page.getByLabel('Username').waitFor()
    await context.close()
  })

  test('neither the form of a service nor the sign-in page has barriers', async ({
    assert,
    browser,
    browserContext,
  }) => {
    await giveSignInService('github', github.url)
    await giveSignInService('google')
    const page = await openPage(browserContext, '/admin/authentication')
    await page.getByRole('button', { name: 'Edit GitHub' }).click()
    await page.getByRole('dialog').getByLabel('Client ID').waitFor()
    await settled(page)
    assert.deepEqual(await barriers(page), [])

    const context = await browser.newContext()
    const visitor = await context.newPage()
    await visitor.goto(`${ORIGIN}/login`)
    await visitor.getByRole('link', { name: 'Continue with Google' }).waitFor()
    assert.deepEqual(await barriers(visitor), [])
    await context.close()
  })
})
