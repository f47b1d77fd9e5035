import { test } from '@japa/runner'
import settings from '#settings/services/main'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import User from '#models/user'
import { ORIGIN } from '#tests/browser/chromium'
import { holdAnswer } from '#tests/browser/held_answer'
import { openPage, readyWithModel } from '#tests/browser/installation'
import { say, stream, toldPage } from '#tests/browser/told_chat'

/** A button that goes away takes the focus with it, and the next key would act on the page. */
test.group('The focus in a browser', (group) => {
  group.each.setup(readyWithModel)

  test('stays where a secret of a setting is replaced, kept and reset', async ({
    browserContext,
  }) => {
    await settings.set('mail.password', 'a secret of the mail server')
    const page = await openPage(browserContext, '/admin/settings')
    const row = page.locator('[id="mail.password"]')
    await row.getByRole('button', { name: 'Replace' }).press('Enter')
    await row.locator('input:focus').waitFor()
    await row.getByRole('button', { name: 'Keep the current one' }).press('Enter')
    await row.locator('button:focus').getByText('Replace').waitFor()
    await row.getByRole('button', { name: 'Back to the default' }).press('Enter')
    await row.locator('button:focus').getByText('Replace').waitFor()
  })

  test('stays where a provider’s key is replaced and kept', async ({ browserContext }) => {
    const { id: userId } = await User.firstOrFail()
    const provider = await LlmProviderFactory.merge({ userId, displayName: 'Mine' }).make()
    await provider.seal('apiKey', 'sk-test-1234')
    await provider.save()
    const page = await openPage(browserContext, '/settings/providers')
    const item = page.getByRole('listitem').filter({ hasText: 'Mine' })
    await item.getByRole('button', { name: 'Edit' }).click()
    const form = page.getByRole('dialog')
    await form.getByRole('button', { name: 'Replace' }).press('Enter')
    await form.locator('input[type=password]:focus').waitFor()
    await form.getByRole('button', { name: 'Keep the current one' }).press('Enter')
    await form.locator('button:focus').getByText('Replace').waitFor()
  })

  test('stays with an approval, before and after it is decided', async ({ browserContext }) => {
    const page = await toldPage(browserContext, () => [])
    const decisions = ['allow-once', 'deny']
    const asked = { id: 'a1', title: 'ls', detail: null, isWhole: true, decisions }
    const done = { conversationId: 'c1' }
    await page.route(/\/api\/v1\/chat$/, (route) =>
      stream(route, ['approval', { ...asked, state: 'pending' }], ['done', done])
    )
    const decided = await holdAnswer(page, 'POST', /\/approvals\/a1$/, { data: {} })
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'Clean up')
    const card = page.getByTestId('approval')
    await card.getByRole('button', { name: 'Allow once' }).press('Enter')
    await decided.held
    await card.locator('button[aria-disabled=true]:focus').waitFor()
    await decided.release()
    await card.locator('p:focus').getByText('You allowed it.').waitFor()
  })
})
