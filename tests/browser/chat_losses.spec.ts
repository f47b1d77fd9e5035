import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { openPage, readyWithModel } from '#tests/browser/installation'
import {
  answers,
  past,
  questions,
  say,
  stream,
  tellEnded,
  toldPage,
} from '#tests/browser/told_chat'

const CHAT = /\/api\/v1\/chat$/
const DONE: [string, object] = ['done', { conversationId: 'c1' }]

/** Refuses messages from here on. */
const refuse = (page: Page) =>
  page.route(CHAT, (route) =>
    route.fulfill({ status: 503, json: { errors: [{ code: 'E_DRAINING', message: 'Not now.' }] } })
  )

/** Keeps messages without an answer, and has their stop heard. `sent` resolves with the first one. */
async function holdUntilStopped(page: Page) {
  const sent = Promise.withResolvers<void>()
  await page.route(CHAT, () => sent.resolve())
  await page.route(/\/c1\/run$/, (route) =>
    route.request().method() === 'DELETE' ? route.fulfill({ status: 204 }) : route.fallback()
  )
  return { sent: sent.promise }
}

const failure = (page: Page) => page.getByTestId('chat-failure')
const question = (page: Page, title: string) => page.getByRole('dialog').getByText(title)
const tasksLink = (page: Page) => page.getByRole('link', { name: 'Tasks' })
const toTasks = (page: Page) => tasksLink(page).click()

/** Cancels a question of `toTasks`. It gives the focus back once it has faded; a key before that would press the link. */
async function cancel(page: Page) {
  await page.getByRole('button', { name: 'Cancel' }).click()
  await tasksLink(page).and(page.locator(':focus')).waitFor()
}

test.group('The chat in a browser loses no', (group) => {
  group.each.setup(readyWithModel)

  test('message that could not be sent', async ({ assert, browserContext }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    await refuse(page)
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    await say(page, 'Remember the milk')
    await failure(page).getByText('Not now.').waitFor()

    const read = page.waitForResponse(/\/conversations\/c1$/)
    await tellEnded(page)
    await read
    await toTasks(page)
    await question(page, 'Leave with messages in the queue?').waitFor()
    await cancel(page)
    await questions(page).getByText('Remember the milk').waitFor()
    await page.reload()
    assert.equal(await page.locator('#message').inputValue(), 'Remember the milk')

    await page.keyboard.press('Enter')
    await failure(page).waitFor()
    await questions(page).last().hover()
    await page.getByRole('button', { name: 'Edit and ask again' }).last().click()
    await failure(page).waitFor({ state: 'detached' })
    assert.equal(await page.locator('#message').inputValue(), 'Remember the milk')
    await toTasks(page)
    await page.getByRole('heading', { name: 'Tasks' }).first().waitFor()
  })

  test('question of an answer with several texts, or of an earlier page', async ({
    assert,
    browserContext,
  }) => {
    const failed = past('assistant', '', { failure: { code: 'E_CUT', message: 'It broke.' } })
    const history = [past('assistant', 'Let me look.'), failed]
    const page = await toldPage(browserContext, () => history, [past('user', 'Where is it?')])
    const sent: string[] = []
    await page.route(CHAT, (route) => {
      sent.push(route.request().postDataJSON().message)
      return stream(route, ['delta', { text: 'Here.' }], DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await failure(page).getByRole('button', { name: 'Try again' }).click()
    await answers(page, 'done').getByText('Here.').waitFor()
    assert.deepEqual(sent, ['Where is it?'])
    assert.deepEqual(await questions(page).allInnerTexts(), ['Where is it?'])
  })

  test('history that could not be read at first', async ({ assert, browserContext }) => {
    const asked = () => [past('user', 'Before'), past('assistant', 'Old.'), ...now]
    const now: object[] = []
    const page = await toldPage(browserContext, asked)
    const errors = [{ code: 'E_CONVERSATION_NOT_FOUND', message: 'There is no such conversation.' }]
    const refusal = { status: 404, json: { errors } }
    await page.route(/\/conversations\/c1$/, (route) => route.fulfill(refusal), { times: 1 })
    const released = Promise.withResolvers<void>()
    await page.route(CHAT, async (route) => {
      await released.promise
      now.push(past('user', 'Go on'), past('assistant', 'Fine.'))
      await stream(route, ['delta', { text: 'Fine.' }], DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await page.getByText('There is no such conversation.').waitFor()
    await say(page, 'Go on')
    await answers(page, 'streaming').waitFor()
    assert.isTrue(await page.getByText('There is no such conversation.').isVisible())
    /** Nothing is read again before the answer is over. */
    const unread = page.getByRole('alert').filter({ hasText: 'There is no such conversation.' })
    assert.equal(await unread.getByRole('button').count(), 0)
    released.resolve()
    await questions(page).getByText('Before').waitFor()
    assert.equal(await questions(page).count(), 2)
    assert.equal(await page.getByText('There is no such conversation.').count(), 0)
  })

  test('question that was stopped before its agent had it', async ({ assert, browserContext }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    const errors = [{ code: 'E_CONVERSATION_NOT_FOUND', message: 'There is no such conversation.' }]
    const refusal = { status: 404, json: { errors } }
    await page.route(/\/conversations\/c1$/, (route) => route.fulfill(refusal), { times: 1 })
    const { sent } = await holdUntilStopped(page)
    await page.goto(`${ORIGIN}/chat/c1`)
    await page.getByText('There is no such conversation.').waitFor()
    await say(page, 'A long question')
    await sent
    await page.getByTestId('stop').click()
    await questions(page).getByText('Before').waitFor()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Before', 'A long question'])
    assert.equal(await answers(page, 'stopped').count(), 1)
  })

  test('place of a stopped question that an earlier page of the history may hold', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Before')]
    const page = await toldPage(browserContext, () => history, [past('user', 'Early')])
    const { sent } = await holdUntilStopped(page)
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    await say(page, 'Count')
    await sent
    await page.getByTestId('stop').click()
    await answers(page, 'stopped').waitFor()
    await page.getByTestId('stop').waitFor({ state: 'detached' })
    const at = new Date(Date.now() + 60_000).toISOString()
    history.splice(0, 1, past('user', 'Later', { at }))
    await tellEnded(page)
    await questions(page).getByText('Later').waitFor()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Later'])
  })

  test('queued messages behind one that could not be sent, and doubles none', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    const queued = Promise.withResolvers<void>()
    await page.route(CHAT, async (route) => {
      await queued.promise
      const errors = [{ code: 'E_DRAINING', message: 'Not now.' }]
      await route.fulfill({ status: 503, json: { errors } })
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    for (const text of ['Milk', 'Bread', 'Tea']) {
      await say(page, text)
      await questions(page).getByText(text).waitFor()
    }
    queued.resolve()
    await failure(page).getByText('Not now.').waitFor()
    const box = page.locator('#message')
    await box.fill('And rice')

    const pass = (name: string) =>
      page.evaluate(`dispatchEvent(new PageTransitionEvent('${name}', { persisted: true }))`)
    await pass('pagehide')
    await pass('pageshow')
    assert.equal(await box.inputValue(), 'And rice')
    await page.reload()
    assert.equal(await box.inputValue(), 'Milk\n\nBread\n\nTea\n\nAnd rice')
  })

  test('question whose words were asked before, after a stop that was not heard', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [
      past('user', 'Go on'),
      past('assistant', 'Old.'),
    ])
    await page.route(CHAT, () => {})
    await page.route(/\/c1\/run$/, (route) =>
      route.request().method() === 'DELETE' ? route.abort() : route.fallback()
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Go on').waitFor()
    await say(page, 'Go on')
    await answers(page, 'streaming').waitFor()
    await page.getByTestId('stop').click()
    await failure(page).waitFor()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Go on', 'Go on'])
  })

  test('file without a word', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/chat')
    const file = { name: 'Dockerfile', mimeType: '', buffer: Buffer.from('FROM scratch') }
    const picker = page.locator('input[type=file]')
    await picker.setInputFiles(file)
    await page.getByRole('button', { name: 'Remove Dockerfile' }).waitFor()
    await toTasks(page)
    await question(page, 'Leave without saving?').waitFor()
    await cancel(page)

    const posted = page.waitForRequest(CHAT)
    await say(page, 'Read')
    const [sent] = (await posted).postDataJSON().attachments
    assert.equal(sent.type, 'application/octet-stream')
    await answers(page, 'done').waitFor()

    await page.evaluate(
      "FileReader.prototype.readAsDataURL = function () { this.dispatchEvent(new ProgressEvent('error')) }"
    )
    await picker.setInputFiles(file)
    await say(page, 'Read again')
    await failure(page).getByText('This browser can no longer read Dockerfile.').waitFor()
  })

  test('sight of what is over', async ({ assert, browserContext }) => {
    const page = await toldPage(browserContext, () => [])
    const errors = [{ code: 'E_DRAINING', message: 'Mosaic restarts.' }]
    const start = /\/api\/v1\/agent\/start$/
    await page.route(start, (route) => route.fulfill({ status: 503, json: { errors } }))
    await page.goto(`${ORIGIN}/chat`)
    await failure(page).getByText('Mosaic restarts.').waitFor()
    const other = await browserContext.newPage()
    await other.goto(`${ORIGIN}/chat`)
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await failure(page).waitFor({ state: 'detached' })

    const approval = { id: 'a1', title: 'ls', detail: null, isWhole: true, decisions: ['deny'] }
    await page.route(CHAT, (route) =>
      stream(route, ['approval', { ...approval, state: 'pending' }], ['stopped', DONE[1]])
    )
    await say(page, 'Clean up')
    await page.getByTestId('approval').getByText('This request is closed.').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Deny' }).count(), 0)
  })
})
