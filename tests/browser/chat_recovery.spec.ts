import { test } from '@japa/runner'
import type { Page, Route } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { giveDemoModel, readyInstallation, signIn } from '#tests/browser/installation'

async function say(page: Page, text: string) {
  await page.locator('#message').fill(text)
  await page.keyboard.press('Enter')
}

const answers = (page: Page, state: string) =>
  page.locator(`[data-testid=message-agent][data-state=${state}]`)
const questions = (page: Page) => page.getByTestId('message-user')

/** Answers with these events, and breaks off unless the last one ends the answer. */
const stream = (route: Route, ...events: [string, object][]) =>
  route.fulfill({
    contentType: 'text/event-stream',
    headers: { date: new Date().toUTCString() },
    body: events
      .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
      .join(''),
  })

const WAKING: [string, object] = ['progress', { stage: 'starting', elapsedMs: 0, usualMs: 1000 }]

const LONG_AGO = '2026-01-01T10:00:00.000Z'
const past = (role: 'user' | 'assistant', text: string, more: object = {}) => ({
  id: `${role}-${text}`,
  role,
  text,
  at: LONG_AGO,
  ...more,
})

/** Tells this history of every conversation, in place of the agents' doubles, and that no answer is under way. */
async function tellHistory(page: Page, history: () => object[]) {
  await page.route(/\/api\/v1\/conversations\/[^/?]+$/, (route) => {
    const data = { id: 'c1', surface: 'web', title: null, messages: history(), nextCursor: null }
    return route.fulfill({ json: { data } })
  })
  await page.route(/\/run$/, (route) =>
    route.fulfill({ status: 404, json: { errors: [{ code: 'E_CHAT_NOT_RUNNING', message: '' }] } })
  )
}

test.group('What a chat keeps in a browser', (group) => {
  group.each.setup(async () => {
    const ready = await readyInstallation()
    await giveDemoModel(ready.admin)
    return ready.restore
  })

  test('a question that the agent never got, though the same words were answered before', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    const history = [past('user', 'Go on'), past('assistant', 'An old answer.')]
    await tellHistory(page, () => history)
    let sent = 0
    await page.route(/\/api\/v1\/chat$/, (route) =>
      ++sent === 1
        ? stream(route, WAKING)
        : stream(route, ['delta', { text: 'A new answer.' }], ['done', { conversationId: 'c1' }])
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'done').getByText('An old answer.').waitFor()
    await say(page, 'Go on')
    const failed = answers(page, 'failed')
    await failed.getByText('Your agent did not get this message.').waitFor()
    assert.equal(await questions(page).count(), 2)
    await failed.getByRole('button', { name: 'Try again' }).click()
    await answers(page, 'done').getByText('A new answer.').waitFor()
    assert.equal(await questions(page).count(), 2)
  })

  test('an answer that was complete when the connection came back', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    const history = [past('user', 'Go on'), past('assistant', 'An old answer.')]
    await tellHistory(page, () => history)
    await page.route(/\/api\/v1\/chat$/, (route) => {
      const at = new Date().toISOString()
      history.push(past('user', 'Go on', { at }), past('assistant', 'Missed.', { at }))
      return stream(route, WAKING)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'done').getByText('An old answer.').waitFor()
    await say(page, 'Go on')
    await answers(page, 'done').getByText('Missed.').waitFor()
    assert.equal(await questions(page).count(), 2)
    assert.equal(await answers(page, 'failed').count(), 0)
  })

  test('its own answer, not that of a conversation which was left before it was found', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    const item = (id: string) => ({
      ...{ id, surface: 'web', title: `Talk ${id}`, pinned: false, preview: null },
      updatedAt: new Date().toISOString(),
    })
    await page.route(/\/api\/v1\/conversations(\?.*)?$/, (route) =>
      route.fulfill({
        json: {
          data: [item('c1'), item('c2')],
          meta: { total: 2, page: 1, limit: 50, totalPages: 1 },
        },
      })
    )
    await tellHistory(page, () => [])
    const asked = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    await page.route(/\/c1\/run$/, async (route) => {
      asked.resolve()
      await left.promise
      const question: [string, object] = ['question', { text: 'Of c1', startedAt: LONG_AGO }]
      /** Refused if the page gave the request up. */
      await stream(route, question, ['done', { conversationId: 'c1' }]).catch(() => {})
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await asked.promise
    const second = page.waitForResponse(/\/c2\/run$/)
    await page.getByRole('button', { name: 'Talk c2' }).first().click()
    await second
    left.resolve()
    await say(page, 'Of c2')
    await questions(page).getByText('Of c2').waitFor()
    await answers(page, 'done').getByText('Of c2').waitFor()
    assert.equal(await questions(page).getByText('Of c1').count(), 0)
  })
})
