import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import settings from '#settings/services/main'
import { Sessions } from '#identity/sessions'
import { ORIGIN } from '#tests/browser/chromium'
import { ACCOUNT, openPage, readyInstallation, signIn } from '#tests/browser/installation'

const HALF_AN_HOUR_MS = 30 * 60_000

test.group('A session in an open page', (group) => {
  group.each.setup(async () => (await readyInstallation()).restore)
  group.each.setup(async () => {
    const present = await app.container.make('identity.sessions')
    return () => app.container.bindValue('identity.sessions', present)
  })

  /** Lets time pass for sessions alone. */
  async function later(ms: number) {
    const audit = await app.container.make('audit')
    const then = new Sessions(audit, settings, () => Date.now() + ms)
    app.container.bindValue('identity.sessions', then)
  }

  test('that has ended is told, and signing in again leads back to the page', async ({
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/tokens')
    await page.getByRole('button', { name: 'Create a token' }).click()
    await page.getByLabel('Name').fill('Nightly report')
    await db.from('sessions').delete()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Create a token' }).click()
    await page.getByRole('heading', { name: 'You have been signed out.' }).waitFor()
    await page.getByRole('button', { name: 'Sign in' }).click()

    await page.waitForURL(`${ORIGIN}/login`)
    await page.getByLabel('Username').fill(ACCOUNT.username)
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${ORIGIN}/settings/tokens`)
  })

  test('goes on after a wrong password was entered to confirm it, and the act with the right one', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    await later(HALF_AN_HOUR_MS)
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/settings/tokens`)
    await page.getByRole('button', { name: 'Create a token' }).click()
    await page.getByLabel('Name').fill('Nightly report')
    await page.getByRole('dialog').getByRole('button', { name: 'Create a token' }).click()

    const confirm = page.getByRole('dialog', { name: 'Confirm your identity' })
    await confirm.getByLabel('Password', { exact: true }).fill('not the password')
    await confirm.getByRole('button', { name: 'Confirm' }).click()
    await confirm.getByText('The name or the password is wrong.').waitFor()
    assert.equal(await page.getByText('You have been signed out.').count(), 0)

    await confirm.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await confirm.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('button', { name: 'I have copied it' }).waitFor()
  })

  test('is asked for the proof before somebody is invited, and goes on', async ({
    browserContext,
  }) => {
    await signIn(browserContext)
    await later(HALF_AN_HOUR_MS)
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/admin/users`)
    await page.getByRole('button', { name: 'Invite someone' }).click()
    await page.getByLabel('Email address').fill('eve@example.test')
    await page.getByRole('button', { name: 'Create the invitation' }).click()
    const confirm = page.getByRole('dialog', { name: 'Confirm your identity' })
    await confirm.getByLabel('Password', { exact: true }).fill(ACCOUNT.password)
    await confirm.getByRole('button', { name: 'Confirm' }).click()
    await page.getByTestId('invitation-link').waitFor()
  })
})
