import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { TEXT_LENGTH } from '#chat/attachments'
import { ORIGIN } from '#tests/browser/chromium'
import { drawn } from '#tests/browser/held_answer'
import { holdWakes, openPage, readyWithModel } from '#tests/browser/installation'
import { speechRecogniser } from '#tests/browser/speech_recogniser'
import {
  answers,
  LONG_AGO,
  past,
  questions,
  say,
  stream,
  tellHistory,
  toldPage,
  WAKING,
} from '#tests/browser/told_chat'
import { PNG } from '#tests/doubles/png'
import { LONGEST_TEXT } from '../../inertia/limits.js'

const NOTES = { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('# Hi') }

/** Lists the conversations c1 and c2. */
async function listTwo(page: Page) {
  const data = ['c1', 'c2'].map((id) => ({
    ...{ id, surface: 'web', title: `Talk ${id}`, pinned: false, preview: null },
    updatedAt: new Date().toISOString(),
  }))
  const meta = { total: 2, page: 1, limit: 50, totalPages: 1 }
  await page.route(/\/api\/v1\/conversations(\?.*)?$/, (route) =>
    route.fulfill({ json: { data, meta } })
  )
}
const turnTo = (page: Page, id: string) =>
  page
    .getByRole('button', { name: `Talk ${id}` })
    .first()
    .click()

const questionsFrom = (first: number) =>
  Array.from({ length: 40 }, (_, at) => past('user', `Question ${first + at}`))
/** Scrolls up once the page has scrolled to the end, as it does when it draws the messages. */
async function scrollToTop(page: Page) {
  await drawn(page)
  await page.getByTestId('messages').evaluate((list) => list.scrollTo({ top: 0 }))
}

/** Has each message answered by these texts, one after the other. */
const streamPieces = (page: Page, pieces: string[]) =>
  page.addInitScript((texts) => {
    const call = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      if (!String(input).endsWith('/api/v1/chat')) return call(input, init)
      const encoder = new TextEncoder()
      const event = (name: string, data: object) =>
        encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
      const left = [...texts]
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 100))
          const text = left.shift()
          if (text !== undefined) return controller.enqueue(event('delta', { text }))
          controller.enqueue(event('done', { conversationId: 'c1' }))
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
  }, pieces)

test.group('What a chat keeps in a browser', (group) => {
  group.each.setup(readyWithModel)

  test('a question that the agent never got, though the same words were answered before', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Go on'), past('assistant', 'An old answer.')]
    const page = await toldPage(browserContext, () => history)
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

  test('the messages in view, when earlier ones appear above them', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => questionsFrom(41), questionsFrom(1))
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Question 80').waitFor()
    await scrollToTop(page)
    const inView = questions(page).getByText('Question 41')
    const before = await inView.boundingBox()
    await page.getByRole('button', { name: 'Show earlier messages' }).click()
    await questions(page).getByText('Question 1', { exact: true }).waitFor()
    const after = await inView.boundingBox()
    assert.closeTo(after!.y, before!.y, 5)
  })

  test('the place that a reader scrolled to while an answer under way was looked for', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => questionsFrom(1))
    const scrolled = Promise.withResolvers<void>()
    await page.route(/\/c1\/run$/, async (route) => {
      await scrolled.promise
      const question: [string, object] = ['question', { text: 'Go on', startedAt: LONG_AGO }]
      const words: [string, object] = ['delta', { text: 'Found.' }]
      await stream(route, question, words, ['done', { conversationId: 'c1' }])
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    const toEnd = page.getByRole('button', { name: 'Jump to the latest' })
    await questions(page).getByText('Question 40').waitFor()
    await scrollToTop(page)
    await toEnd.waitFor()
    scrolled.resolve()
    await answers(page, 'done').getByText('Found.').waitFor()
    await page.getByTestId('stop').waitFor({ state: 'detached' })
    await drawn(page)
    assert.equal(await toEnd.count(), 1)
    assert.equal(await page.getByTestId('messages').evaluate((list) => list.scrollTop), 0)
  })

  test('the end of a list that grew between its scrolling and the news of that', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => questionsFrom(1))
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Question 40').waitFor()
    const list = page.getByTestId('messages')
    await list.evaluate((box: any) => {
      const document = box.ownerDocument
      const grow = () => {
        const more = document.createElement('div')
        more.style.cssText = 'height: 200px; flex: none'
        box.firstElementChild.append(more)
      }
      return new Promise<void>((resolve) => {
        /** Captures the event, so that it runs before the page's own listener. */
        const onScroll = () => resolve(grow())
        document.addEventListener('scroll', onScroll, { capture: true, once: true })
        grow()
      })
    })
    await drawn(page)
    const beyond = await list.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
    assert.isBelow(beyond, 80)
    assert.equal(await page.getByRole('button', { name: 'Jump to the latest' }).count(), 0)
  })

  test('an answer that was complete when the connection came back', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Go on'), past('assistant', 'An old answer.')]
    const page = await toldPage(browserContext, () => history)
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
    const page = await openPage(browserContext)
    await listTwo(page)
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

  test('the files of a question that is asked again', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const failure = { code: 'E_AGENT_FAILED', message: 'It failed.' }
    const url = '/api/v1/conversations/c1/picture?artifact=a1'
    const picture = { name: '1.png', type: 'image/png', url }
    const history: object[] = [
      past('user', 'Look', { attachments: [picture] }),
      past('assistant', '', { failure }),
    ]
    await tellHistory(page, () => history)
    await page.route(/\/picture\?/, (route) =>
      route.fulfill({ contentType: 'image/png', body: PNG })
    )
    const sent: any[] = []
    await page.route(/\/api\/v1\/chat$/, (route) => {
      sent.push(route.request().postDataJSON())
      const at = new Date().toISOString()
      const attachments = [{ name: 'notes.md', type: 'text/markdown' }]
      if (sent.length === 2) history.push(past('user', 'Read', { at, attachments }))
      if (sent.length === 2) return stream(route, WAKING)
      return stream(route, ['delta', { text: 'Seen.' }], ['done', { conversationId: 'c1' }])
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    const again = answers(page, 'failed').getByRole('button', { name: 'Try again' })
    await again.click()
    await answers(page, 'done').getByText('Seen.').waitFor()
    const files = (index: number) => sent[index].attachments
    assert.deepEqual(files(0), [{ name: '1.png', type: 'image/png', data: PNG.toString('base64') }])

    history.splice(0)
    await page.getByTestId('file-picker').setInputFiles(NOTES)
    await say(page, 'Read')
    await again.click()
    await answers(page, 'done').last().getByText('Seen.').waitFor()
    assert.lengthOf(files(1), 1)
    assert.deepEqual(files(2), files(1))

    history.push(past('assistant', '', { failure }))
    await page.reload()
    await again.click()
    await page.getByText('The files of this message must be attached again.').waitFor()
    assert.lengthOf(sent, 3)
  })

  test('what is picked, written and dictated in its own conversation', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.addInitScript(speechRecogniser)
    await listTwo(page)
    await tellHistory(page, () => [])
    await page.goto(`${ORIGIN}/chat/c1`)
    const box = page.locator('#message')
    await page.getByTestId('file-picker').setInputFiles(NOTES)
    await page.getByTestId('dictate').click()
    await page.evaluate('hear("To Ana")')
    assert.equal(await box.inputValue(), 'To Ana')
    await turnTo(page, 'c2')
    await page.waitForURL(/\/chat\/c2$/)
    await page.locator('[data-testid=dictate][aria-pressed=false]').waitFor()
    await page.evaluate('hear("To Ana", "with love")')
    assert.equal(await box.inputValue(), '')
    assert.equal(await page.getByTestId('picked-file').count(), 0)
    await turnTo(page, 'c1')
    await page.getByTestId('picked-file').getByText('notes.md').waitFor()
    assert.equal(await box.inputValue(), 'To Ana')
    const keys = (await page.evaluate('Object.keys(sessionStorage)')) as string[]
    assert.isTrue(keys.some((key) => /^mosaic\.draft\.[^.]+\.c1$/.test(key)))
  })

  test('what is written and picked right after a first message', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/chat')
    const box = page.locator('#message')
    await box.fill('First')
    /** All within one task of the page, so that its address has not changed for Inertia yet. */
    await box.evaluate((field: any) => {
      const view = field.ownerDocument.defaultView
      const given = { bubbles: true, cancelable: true }
      field.dispatchEvent(new view.KeyboardEvent('keydown', { ...given, key: 'Enter' }))
      const dataTransfer = new view.DataTransfer()
      dataTransfer.items.add(new view.File(['# Hi'], 'notes.md', { type: 'text/markdown' }))
      field.dispatchEvent(new view.DragEvent('drop', { ...given, dataTransfer }))
      field.value = 'Second'
      field.dispatchEvent(new view.InputEvent('input', given))
    })
    await answers(page, 'done').getByText('Turn 1: First').waitFor()
    assert.equal(await box.inputValue(), 'Second')
    await page.getByTestId('picked-file').getByText('notes.md').waitFor()
    const keys = (await page.evaluate('Object.keys(sessionStorage)')) as string[]
    const drafts = keys.filter((key) => key.startsWith('mosaic.draft.'))
    assert.lengthOf(drafts, 1)
    assert.isTrue(drafts[0].endsWith(`.${page.url().split('/').at(-1)}`))
    await box.press('Enter')
    await answers(page, 'done').getByText('Turn 2: Second').waitFor()
  })

  test('a draft with its conversation, while the one shown is deleted', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Hello')])
    await page.clock.install()
    await listTwo(page)
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Hello').waitFor()
    /** It can be undone for as long as this takes. */
    await page.clock.pauseAt(Date.now() + 60_000)
    const box = page.locator('#message')
    await box.fill('Half a thou')
    await page.getByRole('button', { name: 'More for “Talk c1”' }).first().click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await questions(page).getByText('Hello').waitFor({ state: 'detached' })
    await page.waitForURL(`${ORIGIN}/chat`)
    assert.equal(await box.inputValue(), '')
    await page.getByRole('button', { name: 'Undo' }).click()
    await turnTo(page, 'c1')
    await questions(page).getByText('Hello').waitFor()
    assert.equal(await box.inputValue(), 'Half a thou')
  })

  test('queued messages when an answer fails, and what is written when one is edited', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await listTwo(page)
    await tellHistory(page, () => [])
    const written = Promise.withResolvers<void>()
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      await written.promise
      await stream(route, ['error', { code: 'E_AGENT_FAILED', message: 'It failed.' }])
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'First')
    await say(page, 'Second')
    written.resolve()
    await answers(page, 'failed').waitFor()
    await page.getByTestId('stop').waitFor({ state: 'detached' })
    await turnTo(page, 'c2')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Leave with messages in the queue?').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.locator('#message').fill('Third')
    await questions(page).last().getByRole('button', { name: 'Edit' }).click()
    assert.equal(await page.locator('#message').inputValue(), 'Third\n\nSecond')
    assert.equal(await questions(page).count(), 1)
  })

  test('a first message editable until its agent is awake', async ({ assert, browserContext }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext, '/chat')
    await say(page, 'Frist')
    const withdrawn = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await questions(page).getByRole('button', { name: 'Edit' }).click()
    await withdrawn
    assert.equal(await page.locator('#message').inputValue(), 'Frist')
    assert.equal(await questions(page).count(), 0)
    await say(page, 'First')
    wake()
    await answers(page, 'done').getByText('Turn 1: First').waitFor()
    assert.equal(await questions(page).count(), 1)
  })

  test('the words of an answer that was stopped elsewhere', async ({ assert, browserContext }) => {
    const page = await toldPage(browserContext, () => [])
    await page.route(/\/c1\/run$/, (route) =>
      stream(
        route,
        ['question', { text: 'Count', startedAt: LONG_AGO }],
        ['delta', { text: 'One, two' }],
        ['stopped', { conversationId: 'c1' }]
      )
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'stopped').getByText('One, two').waitFor()
    assert.equal(await answers(page, 'failed').count(), 0)
  })

  test('no secret of a text that is cut', async ({ assert, browserContext }) => {
    assert.equal(LONGEST_TEXT, TEXT_LENGTH)
    const page = await openPage(browserContext, '/chat')
    const buffer = Buffer.alloc(LONGEST_TEXT + 1, 'x')
    await page.getByTestId('file-picker').setInputFiles({ ...NOTES, buffer })
    await page
      .getByTestId('files-fault')
      .getByText('Your agent gets only the first 200,000 characters of notes.md.')
      .waitFor()
  })

  test('formulas and paragraphs whole while they arrive', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const parts = Array.from({ length: 4 }, (_, index) => `Part ${index} is here\r\n\r\n`)
    await streamPieces(page, [...parts, 'We have\n$$\na\n', '=\n', 'b\n', '- c\n', '$$\n'])
    await page.goto(`${ORIGIN}/chat`)
    await say(page, 'Show me')
    const answer = answers(page, 'done')
    await answer.locator('math').waitFor()
    assert.equal(await answer.locator('h1, h2, ul').count(), 0)
    const text = await answer.innerText()
    for (const part of [0, 1, 2, 3]) assert.lengthOf(text.split(`Part ${part} is`), 2)
  })
})
