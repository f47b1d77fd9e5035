import { test } from '@japa/runner'
import settings from '#settings/services/main'
import { openPage, readyInstallation } from '#tests/browser/installation'
import { TestMailServer } from '#tests/doubles/mail_server'

test.group('Mail in a browser', (group) => {
  let server: TestMailServer

  group.each.setup(async () => {
    const { restore } = await readyInstallation()
    server = new TestMailServer()
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    await settings.set('mail.host', '127.0.0.1')
    await settings.set('mail.port', await server.start())
    await settings.set('mail.security', 'none')
    await settings.set('mail.from', 'mosaic@example.test')
    return async () => {
      await server.stop()
      await restore()
    }
  })

  test('is tried out in the settings, and an error is told with what to do', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/admin/settings')
    const trial = page.getByRole('region', { name: 'Test mail' })
    await trial.getByLabel('To').fill('ada@example.test')
    await trial.getByRole('button', { name: 'Send a test mail' }).click()
    await trial.getByText('The mail server took the mail to ada@example.test.').waitFor()
    assert.deepEqual(server.taken[0].to, ['ada@example.test'])

    await server.stop()
    await trial.getByRole('button', { name: 'Send a test mail' }).click()
    await trial.getByText('The mail server cannot be reached.').waitFor()
    await trial.getByText('Check its name and its port.').waitFor()
  })

  test('brings invitations, and says so beside the link; resending brings the new one', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/admin/users')
    await page.getByRole('button', { name: 'Invite someone' }).click()
    await page.getByLabel('Email address').fill('eve@example.test')
    await page.getByRole('button', { name: 'Create the invitation' }).click()
    await page.getByText('The invitation is on its way by mail.').waitFor()
    await page.getByTestId('invitation-link').waitFor()
    await page.getByRole('button', { name: 'I have copied it' }).click()

    await server.stop()
    await page.getByRole('button', { name: 'Details of eve@example.test' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'New link' }).click()
    await page.getByText('The mail was not sent. Send the link yourself.').waitFor()
    await page.getByTestId('invitation-link').waitFor()
    assert.lengthOf(server.taken, 1)
  })
})
