import { test } from '@japa/runner'
import { ORIGIN } from '#tests/browser/chromium'
import { readyInstallation } from '#tests/browser/installation'
import { say, stream, toldPage } from '#tests/browser/told_chat'

/** Ids that agents and links choose become parts of addresses, which a browser resolves. */
test.group('What would lead a page to another address', (group) => {
  group.each.setup(async () => (await readyInstallation()).restore)

  for (const id of ['../../../agent/stop?x=1#', '..']) {
    test(`is asked at its own: an approval ${id}`, async ({ assert, browserContext }) => {
      const page = await toldPage(browserContext, () => [])
      const posted: string[] = []
      page.on('request', (request) => {
        if (request.method() === 'POST') posted.push(new URL(request.url()).pathname)
      })
      const decisions = ['allow-once', 'deny']
      const approval = { id, title: 'ls', detail: null, isWhole: true, decisions, state: 'pending' }
      await page.route(/\/api\/v1\/chat$/, (route) =>
        stream(route, ['approval', approval], ['done', { conversationId: 'c1' }])
      )
      await page.goto(`${ORIGIN}/chat/c1`)
      await say(page, 'Clean up')
      const card = page.getByTestId('approval')
      await card.getByRole('button', { name: 'Allow once' }).click()
      await page
        .getByText(/There is nothing at this address|There is no such/)
        .first()
        .waitFor()
      const known = /^\/api\/v1\/(chat|agent\/start|conversations\/c1\/approvals\/[^/]+)$/
      assert.deepEqual(
        posted.filter((path) => !known.test(path)),
        []
      )
    })
  }

  test('says what is too long to be shown whole', async ({ browserContext }) => {
    const page = await toldPage(browserContext, () => [])
    const approval = { id: 'a1', title: 'ls…', detail: null, isWhole: false, decisions: ['deny'] }
    await page.route(/\/api\/v1\/chat$/, (route) =>
      stream(
        route,
        ['approval', { ...approval, state: 'pending' }],
        ['done', { conversationId: 'c1' }]
      )
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'Clean up')
    await page.getByTestId('approval-cut').waitFor()
    await page.getByTestId('approval').getByRole('button', { name: 'Deny' }).waitFor()
  })
})
