import { test } from '@japa/runner'
import type { BrowserContext, Page } from 'playwright'
import settings from '#settings/services/main'
import User from '#models/user'
import { IdentityProvider } from '#tests/doubles/identity_provider'
import { ORIGIN } from '#tests/browser/chromium'
import { ACCOUNT, giveDemoModel, openPage, readyInstallation } from '#tests/browser/installation'

/** Signs in at the provider's own pages, and agrees. Waits for nothing after that. */
async function signInAtProvider(page: Page, idp: IdentityProvider, subject: string) {
  await page.waitForURL((url) => url.href.startsWith(idp.url))
  await page.locator('input[name=login]').fill(subject)
  await page.locator('input[name=password]').fill('any password')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

async function setUpAsAdmin(context: BrowserContext, idp: IdentityProvider): Promise<Page> {
  const page = await openPage(context, '/admin/authentication')
  await page.getByLabel('Issuer address').fill(idp.url)
  await page.getByLabel('Client ID').fill(IdentityProvider.CLIENT.clientId)
  await page.getByLabel('Client secret').fill(IdentityProvider.CLIENT.clientSecret)
  await page.getByLabel('Name on the sign-in page').fill('Example ID')
  await page.getByRole('button', { name: 'Check and save' }).click()
  await page.getByText('The provider answered, and is saved.').first().waitFor()
  return page
}

test.group('Single sign-on in a browser, with a real provider', (group) => {
  let idp: IdentityProvider

  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    idp = await IdentityProvider.start(ORIGIN)
    idp.people.set('ada', { name: 'Ada', email: 'ada@example.test', groups: ['staff'] })
    idp.people.set('grace', { name: 'Grace', email: 'grace@example.test', groups: ['chiefs'] })
    return async () => {
      await idp.close()
      await restore()
    }
  })

  test('an admin sets it up, tries it out, gives roles by a claim and makes it the only way in', async ({
    assert,
    browserContext,
  }) => {
    const page = await setUpAsAdmin(browserContext, idp)
    const only = page.getByRole('switch')
    assert.isTrue(await only.isDisabled(), 'not before a test sign-in')
    await page.getByRole('button', { name: 'Check the connection' }).click()
    await page.getByText('answers, with 1 key.').waitFor()

    await page.getByRole('link', { name: 'Test sign-in' }).click()
    await signInAtProvider(page, idp, 'grace')
    await page.waitForURL(`${ORIGIN}/admin/authentication`)
    await page.getByText('Signed in as grace').waitFor()

    await page.getByLabel('Claim with roles or groups').fill('groups')
    const admins = page.getByRole('textbox', { name: 'Values that make an admin' })
    await admins.fill('chiefs')
    await admins.press('Enter')
    await page.getByRole('button', { name: 'Try the rules' }).click()
    await page.getByText('Signs in as an admin.').waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()

    await only.click()
    await page.locator('[role=switch][aria-checked=true]').waitFor()
    assert.deepEqual(await settings.get('oidc.adminValues'), ['chiefs'])
    assert.isTrue(await settings.get('oidc.only'))
  })

  test('people come in with the role of their groups, and sign out at the provider too', async ({
    assert,
    browser,
    browserContext,
  }) => {
    await setUpAsAdmin(browserContext, idp)
    await settings.set('oidc.roleClaim', 'groups')
    await settings.set('oidc.adminValues', ['chiefs'])
    for (const [subject, role] of [
      ['ada', 'member'],
      ['grace', 'admin'],
    ]) {
      const context = await browser.newContext()
      const page = await context.newPage()
      await page.goto(`${ORIGIN}/login`)
      await page.getByRole('link', { name: 'Continue with Example ID' }).click()
      await signInAtProvider(page, idp, subject)
      await page.waitForURL(`${ORIGIN}/chat`)
      const user = await User.findByOrFail({ oidcIssuer: idp.url, oidcSubject: subject })
      assert.equal(user.role, role)
      const signOut = page.getByRole('button', { name: 'Sign out' })
      await signOut.waitFor()
      const administration = page.getByRole('link', { name: 'Users' })
      assert.equal(await administration.count(), role === 'admin' ? 1 : 0)

      await signOut.click()
      await page.waitForURL((url) => url.href.startsWith(`${idp.url}/session/end`))
      await page.getByRole('button', { name: 'Yes, sign me out' }).click()
      await page.waitForURL(`${ORIGIN}/login`)
      await page.getByRole('link', { name: 'Continue with Example ID' }).click()
      await page.locator('input[name=login]').waitFor()
      await context.close()
    }
  })

  test('an answer that is used again leads to the sign-in page, with the reason', async ({
    assert,
    browser,
    browserContext,
  }) => {
    await setUpAsAdmin(browserContext, idp)
    const context = await browser.newContext()
    const page = await context.newPage()
    const callbacks: string[] = []
    page.on('request', (request) => {
      if (request.url().startsWith(`${ORIGIN}/auth/oidc/callback`)) callbacks.push(request.url())
    })
    await page.goto(`${ORIGIN}/auth/oidc/start`)
    await signInAtProvider(page, idp, 'ada')
    await page.waitForURL(`${ORIGIN}/chat`)

    const thief = await browser.newContext()
    const stolen = await thief.newPage()
    await stolen.goto(callbacks[0])
    await stolen.waitForURL(`${ORIGIN}/login`)
    await stolen.getByText('This sign-in did not begin in this browser.').waitFor()
    assert.lengthOf(callbacks, 1)
    await Promise.all([context.close(), thief.close()])
  })

  test('with a broken provider the local account is in sight, with the reason', async ({
    browser,
    browserContext,
  }) => {
    await setUpAsAdmin(browserContext, idp)
    await idp.close()
    const app = await browser.newContext()
    const page = await app.newPage()
    await settings.set('oidc.scopes', 'openid')
    await page.goto(`${ORIGIN}/login`)
    await page.getByRole('link', { name: 'Continue with Example ID' }).click()
    await page.getByText('The sign-in service cannot be reached.').waitFor()
    await page.getByLabel('Username').fill(ACCOUNT.username)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${ORIGIN}/chat`)
    await app.close()
    idp = await IdentityProvider.start(ORIGIN)
  })
})
