import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'
import { ORIGIN } from '#tests/browser/chromium'
import { holdAnswer } from '#tests/browser/held_answer'
import { openPage, readyInstallation } from '#tests/browser/installation'

const USERS = `${ORIGIN}/admin/users`
const EMPTY = 'There are no users yet'

test.group('The users page', (group) => {
  let admin: User

  group.each.setup(async () => {
    const ready = await readyInstallation()
    admin = ready.admin
    return ready.restore
  })

  /** After the admin, in the order of their names. */
  async function makeUsers(count: number): Promise<void> {
    for (let index = 1; index <= count; index++) {
      const name = `Person ${String(index).padStart(2, '0')}`
      const createdAt = DateTime.utc().plus({ minutes: index })
      await UserFactory.merge({ name, createdAt }).create()
    }
  }

  test('marks oneself, and offers no end of one’s own account', async ({
    assert,
    browserContext,
  }) => {
    await makeUsers(1)
    const page = await openPage(browserContext)
    await page.goto(USERS)
    const own = page.getByRole('row').filter({ hasText: '(You)' })
    await own.waitFor()
    assert.equal(await own.count(), 1)
    await own.getByRole('button', { name: `Details of ${admin.name}` }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Last signed in').waitFor()
    assert.equal(await dialog.getByRole('button', { name: 'Deactivate' }).count(), 0)
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Details of Person 01' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).waitFor()
  })

  test('shows someone as they are now when their details are opened again', async ({
    browserContext,
  }) => {
    await makeUsers(1)
    const page = await openPage(browserContext)
    await page.goto(USERS)
    const dialog = page.getByRole('dialog', { name: 'Person 01', exact: true })
    const question = page.getByRole('dialog', { name: 'Deactivate Person 01?' })
    await page.getByRole('button', { name: 'Details of Person 01' }).click()
    await dialog.getByRole('button', { name: 'Deactivate' }).click()
    await question.getByRole('button', { name: 'Deactivate' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Details of Person 01' }).click()
    await dialog.getByRole('button', { name: 'Reactivate' }).waitFor()
  })

  test('shrinks to the last page that there is when the one shown empties', async ({
    assert,
    browserContext,
  }) => {
    await makeUsers(50)
    const page = await openPage(browserContext)
    await page.goto(USERS)
    await page.getByLabel('State', { exact: true }).click()
    await page.getByRole('option', { name: 'Active' }).click()
    await page.getByText('51 total').waitFor()
    await page.getByRole('button', { name: 'Page 2' }).click()
    await page.getByRole('button', { name: 'Details of Person 50' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click()
    await page.getByRole('dialog', { name: 'Deactivate Person 50?' }).waitFor()
    await page
      .getByRole('dialog', { name: 'Deactivate Person 50?' })
      .getByRole('button', { name: 'Deactivate' })
      .click()

    await page.getByText('50 total').waitFor()
    await page.getByText('Person 49', { exact: true }).waitFor()
    assert.equal(await page.getByText('No results').count(), 0)
    const gone = await User.findByOrFail('name', 'Person 50')
    assert.isNotNull(gone.deactivatedAt)
  })

  test('shows the page that was chosen last, whichever answer comes last', async ({
    assert,
    browserContext,
  }) => {
    await makeUsers(60)
    const page = await openPage(browserContext)
    await page.goto(USERS)
    const first = page.getByText('Person 01', { exact: true })
    await first.waitFor()
    const second = await holdAnswer(page, 'GET', /\/admin\/users\?.*page=2/)
    await page.getByRole('button', { name: 'Page 2' }).click()
    await second.held
    await page.getByRole('button', { name: 'Page 1' }).click()
    await second.release()
    await first.waitFor()
    assert.equal(await page.getByText('Person 60', { exact: true }).count(), 0)
  })

  test('tells an error as one, never as an empty list, and goes on from it', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    let failing = true
    await page.route('**/api/v1/admin/users?**', (route) =>
      failing
        ? route.fulfill({
            status: 500,
            json: {
              errors: [{ code: 'E_INTERNAL', message: 'Something went wrong inside Mosaic.' }],
            },
          })
        : route.continue()
    )
    await page.goto(USERS)
    await page.getByRole('alert').getByText('Something went wrong inside Mosaic.').waitFor()
    assert.equal(await page.getByText(EMPTY).count(), 0)
    failing = false
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('row').filter({ hasText: '(You)' }).waitFor()
  })

  test('invites someone, whose link works once', async ({ assert, browser, browserContext }) => {
    const page = await openPage(browserContext)
    await page.goto(USERS)
    await page.getByRole('button', { name: 'Invite someone' }).click()
    await page.getByLabel('Email address').fill('Eve@Example.test')
    await page.getByRole('button', { name: 'Create the invitation' }).click()
    const link = await page.getByTestId('invitation-link').innerText()
    assert.isTrue(link.startsWith(`${ORIGIN}/invitations/`))
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByText('Invited', { exact: true }).waitFor()

    const context = await browser.newContext()
    const guest = await context.newPage()
    await guest.goto(link)
    await guest.getByText('eve@example.test').waitFor()
    await guest.getByLabel('Your name').fill('Eve')
    await guest.getByLabel('Password', { exact: true }).fill('a long password of eve')
    await guest.getByRole('button', { name: 'Accept the invitation' }).click()
    await guest.waitForURL(`${ORIGIN}/chat`)
    await guest.goto(link)
    await guest.getByText('This invitation is not valid any more.').waitFor()
    assert.equal((await User.findByOrFail('email', 'eve@example.test')).role, 'member')
    await context.close()
  })
})
