import { readFile } from 'node:fs/promises'
import { DateTime } from 'luxon'
import type { Page } from 'playwright'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import AuditEvent from '#models/audit_event'
import type User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'
import { ORIGIN } from '#tests/browser/chromium'
import { openPage, readyInstallation } from '#tests/browser/installation'

const INVITED = 'Invited someone'
const NOTHING = 'No results'

test.group('The audit record in a browser', (group) => {
  let other: User

  group.each.setup(async () => {
    const { restore } = await readyInstallation()
    other = await UserFactory.apply('admin').merge({ email: 'grace@example.test' }).create()
    const invitations = await app.container.make('identity.invitations')
    await invitations.invite(
      { email: 'eve@example.test', role: 'member' },
      { user: other, address: '203.0.113.7' }
    )
    return restore
  })

  /** The page, with what has just been done on it. */
  async function open(page: Page): Promise<void> {
    await page.goto(`${ORIGIN}/admin/audit`)
    await page.getByText(INVITED).waitFor()
    await page.getByText('Signed in', { exact: true }).waitFor()
  }

  test('is narrowed by person, by kind and by day, and told apart from an empty one', async ({
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await open(page)

    await page.getByPlaceholder('Who did it').fill('grace')
    await page.getByText('Signed in', { exact: true }).waitFor({ state: 'detached' })
    await page.getByText(INVITED).waitFor()
    await page.getByPlaceholder('Who did it').fill('')
    await page.getByText('Signed in', { exact: true }).waitFor()

    await page.getByLabel('What', { exact: true }).click()
    await page.getByRole('option', { name: 'Signing in and out' }).click()
    await page.getByText(INVITED).waitFor({ state: 'detached' })
    await page.getByText('Signed in', { exact: true }).waitFor()

    await page.getByLabel('Until').fill(DateTime.utc().minus({ days: 2 }).toISODate())
    await page.getByText(NOTHING).waitFor()
  })

  test('is downloaded as CSV, as it is narrowed, and that is noted', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await open(page)
    await page.getByPlaceholder('Who did it').fill('grace')
    await page.getByText('Signed in', { exact: true }).waitFor({ state: 'detached' })

    const begun = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export as CSV' }).click()
    const download = await begun
    assert.equal(download.suggestedFilename(), 'audit.csv')
    const [heading, ...lines] = (await readFile(await download.path(), 'utf8'))
      .trim()
      .split(/\r?\n/)
    assert.match(heading, /action/)
    assert.lengthOf(lines, 1)
    assert.include(lines[0], 'grace@example.test')
    assert.include(lines[0], '203.0.113.7')
    const last = await AuditEvent.query().orderBy('id', 'desc').firstOrFail()
    assert.equal(last.action, 'audit.exported')
  })
})
