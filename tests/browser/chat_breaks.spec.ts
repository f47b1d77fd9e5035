import { test } from '@japa/runner'
import type { Page, Route } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { drawn } from '#tests/browser/held_answer'
import { openPage, readyWithModel } from '#tests/browser/installation'
import {
  answers,
  LONG_AGO,
  past,
  questions,
  say,
  stream,
  tellEnded,
  tellHistory,
  toldPage,
  WAKING,
} from '#tests/browser/told_chat'

const DONE: [string, object] = ['done', { conversationId: 'c1' }]
const asked = (text: string, startedAt = LONG_AGO): [string, object] => [
  'question',
  { text, startedAt },
]
const said = (text: string): [string, object] => ['delta', { text }]

/** The agent cannot be asked right now. */
const notNow = (route: Route) =>
  route.fulfill({ status: 502, json: { errors: [{ code: 'E_GATEWAY_FAILED', message: 'Busy.' }] } })

const HISTORY = /\/api\/v1\/conversations\/c1$/

/** Keeps the next request to an address from its answer until the returned function is called. */
async function hold(page: Page, address: RegExp): Promise<() => void> {
  const released = Promise.withResolvers<void>()
  const answer = async (route: Route) => {
    await released.promise
    await route.fallback()
  }
  await page.route(address, answer, { times: 1 })
  return released.resolve
}

/** Lets a held answer go, and waits until the page has shown it. */
async function show(page: Page, address: RegExp, release: () => void) {
  const told = page.waitForResponse(address)
  release()
  await (await told).finished()
  await drawn(page)
}

/** Refuses the next requests to an address. */
const refuse = (page: Page, address: RegExp, times: number) =>
  page.route(address, notNow, { times })

test.group('A chat in a browser when something breaks', (group) => {
  group.each.setup(readyWithModel)

  test('asks what is sent before an answer under way is found behind that one', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Count')])
    const looked = Promise.withResolvers<void>()
    const queued = Promise.withResolvers<void>()
    await page.route(/\/c1\/run$/, async (route) => {
      looked.resolve()
      await queued.promise
      await stream(route, asked('Count'), said('One, two.'), DONE)
    })
    let isFound = false
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      isFound = await answers(page, 'done').getByText('One, two.').isVisible()
      await stream(route, said('Three.'), DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Count').waitFor()
    await looked.promise
    await say(page, 'Go on')
    await questions(page).getByText('Go on').waitFor()
    queued.resolve()
    await answers(page, 'done').getByText('Three.').waitFor()
    assert.isTrue(isFound)
    await answers(page, 'done').getByText('One, two.').waitFor()
  })

  test('looks again for an answer whose history could not be read', async ({
    assert,
    browserContext,
  }) => {
    const history: object[] = []
    const page = await toldPage(browserContext, () => history)
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      const at = new Date().toISOString()
      history.push(past('user', 'Go on', { at }), past('assistant', 'Missed.', { at }))
      await refuse(page, HISTORY, 1)
      await stream(route, WAKING)
    })
    const first = page.waitForResponse(/\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    await first
    await say(page, 'Go on')
    await page
      .locator('[data-testid=message-agent]:is([data-state=done], [data-state=failed])')
      .waitFor()
    assert.equal(await answers(page, 'done').getByText('Missed.').count(), 1)
  })

  test('looks again for an answer while its agent cannot be asked', async ({ browserContext }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Count')])
    await page.route(/\/c1\/run$/, (route) => stream(route, asked('Count'), said('One.'), DONE))
    await refuse(page, /\/c1\/run$/, 2)
    const refused = page.waitForResponse(/\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    await refused
    await answers(page, 'done').getByText('One.').waitFor({ timeout: 30_000 })
  })

  test('says that a stop was not heard, and follows the answer', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [])
    const sent = Promise.withResolvers<void>()
    await page.route(/\/api\/v1\/chat$/, () => sent.resolve())
    let found = 0
    await page.route(/\/c1\/run$/, (route) => {
      if (route.request().method() === 'DELETE') return notNow(route)
      if (++found === 1) return route.fallback()
      return stream(route, asked('Count'), said('One.'), DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'Count')
    await sent.promise
    await page.getByTestId('stop').click()
    await page.getByText('Your agent could not be told to stop.').first().waitFor()
    await answers(page, 'done').getByText('One.').waitFor()
    assert.equal(await questions(page).count(), 1)
    assert.equal(await answers(page, 'stopped').count(), 0)
  })

  test('keeps a question that was stopped and whose agent knows nothing of it', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [])
    const sent = Promise.withResolvers<void>()
    await page.route(/\/api\/v1\/chat$/, () => sent.resolve())
    await page.route(/\/c1\/run$/, (route) =>
      route.request().method() === 'DELETE' ? notNow(route) : route.fallback()
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'Count')
    await sent.promise
    await page.getByTestId('stop').click()
    await answers(page, 'failed').getByText('Your agent did not get this message.').waitFor()
    assert.equal(await questions(page).getByText('Count').count(), 1)
  })
  test('shows earlier messages while it finds an answer again', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Recent'), past('assistant', 'A recent answer.')]
    const page = await toldPage(browserContext, () => history, [past('user', 'Early')])
    await page.route(/\/api\/v1\/chat$/, (route) => {
      const at = new Date().toISOString()
      const text = route.request().postDataJSON().message
      history.push(past('user', text, { at }), past('assistant', `Missed ${text}.`, { at }))
      return stream(route, WAKING)
    })
    const looked = page.waitForResponse(/\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    await looked
    const older = page.getByRole('button', { name: 'Show earlier messages' })

    const tellAnswer = await hold(page, HISTORY)
    const read = page.waitForRequest(HISTORY)
    await say(page, 'One')
    await read
    await older.click()
    await questions(page).getByText('Early').waitFor()
    tellAnswer()
    await answers(page, 'done').getByText('Missed One.').waitFor()
    assert.equal(await answers(page, 'failed').count(), 0)

    const tellEarly = await hold(page, /cursor=/)
    await older.click()
    await say(page, 'Two')
    await answers(page, 'done').getByText('Missed Two.').waitFor()
    tellEarly()
    await questions(page).getByText('Early').waitFor()
  })
  test('finds the rest of an answer whose connection fell silent', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.clock.install()
    await tellHistory(page, () => [])
    await fallSilent(page)
    await page.goto(`${ORIGIN}/chat/c1`)
    await say(page, 'Count')
    await answers(page, 'streaming').getByText('One').waitFor()
    await page.route(/\/c1\/run$/, (route) =>
      stream(route, asked('Count'), said('One, two.'), DONE)
    )
    await page.clock.fastForward(20_000)
    assert.equal(await page.getByTestId('reconnecting').count(), 0)
    await page.clock.fastForward(30_000)
    await answers(page, 'done').getByText('One, two.').waitFor()
  })
  test('finds an answer whose connection broke before its first byte', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    /** A browser that reaches loopback alone calls itself offline. */
    await page.addInitScript('Object.defineProperty(navigator, "onLine", { value: true })')
    const history = [past('user', 'Go on'), past('assistant', 'An old answer.')]
    await tellHistory(page, () => history)
    let isTaken = true
    let sent = 0
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      sent++
      const events = [asked('Go on', new Date().toISOString()), said('A new answer.'), DONE]
      const find = (run: Route) => stream(run, ...events)
      if (isTaken) await page.route(/\/c1\/run$/, find, { times: 1 })
      await route.abort('connectionreset')
    })
    const looked = page.waitForResponse(/\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    await looked
    await say(page, 'Go on')
    await answers(page, 'done').getByText('A new answer.').waitFor()
    assert.equal(await questions(page).count(), 2)
    assert.equal(sent, 1)

    isTaken = false
    await say(page, 'Go on')
    await answers(page, 'failed').getByText('Your agent did not get this message.').waitFor()
    assert.equal(await answers(page, 'done').getByText('An old answer.').count(), 1)
  })

  test('says at once that a message cannot leave a browser without a network', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.clock.install()
    await tellHistory(page, () => [])
    const looked = page.waitForResponse(/\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    await looked
    await page.clock.pauseAt(Date.now() + 60_000)
    await browserContext.setOffline(true)
    let found = 0
    page.on('request', (request) => (found += request.url().endsWith('/c1/run') ? 1 : 0))
    await say(page, 'Hello')
    await answers(page, 'failed').getByText('Mosaic cannot be reached').waitFor()
    assert.equal(found, 0)
  })
  test('keeps an answered question while the same words are answered again', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [
      past('user', 'Yes'),
      past('assistant', 'The first answer.'),
    ])
    await page.route(/\/c1\/run$/, (route) =>
      stream(route, asked('Yes', new Date().toISOString()), said('The second answer.'), DONE)
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'done').getByText('The second answer.').waitFor()
    assert.equal(await answers(page, 'done').getByText('The first answer.').count(), 1)
    assert.equal(await questions(page).count(), 2)
  })

  test('takes the start of an answer in the history for the one under way', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const at = new Date().toISOString()
    await tellHistory(page, () => [
      past('user', 'Yes', { at }),
      past('assistant', 'A start', { at }),
    ])
    await page.route(/\/c1\/run$/, (route) =>
      stream(route, asked('Yes', at), said('A start and an end.'), DONE)
    )
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'done').getByText('A start and an end.').waitFor()
    assert.equal(await page.getByTestId('message-agent').count(), 1)
    assert.equal(await questions(page).count(), 1)
  })
  test('shows which answers of the history were stopped', async ({ assert, browserContext }) => {
    const history = [past('user', 'Count'), past('assistant', 'One,', { stopped: true })]
    const page = await toldPage(browserContext, () => history)
    await page.route(/\/api\/v1\/chat$/, (route) => {
      const at = new Date().toISOString()
      history.push(past('user', 'Go on', { at }))
      history.push(past('assistant', 'Two,', { at, stopped: true }))
      return stream(route, WAKING)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await answers(page, 'stopped').getByText('One,').waitFor()
    await say(page, 'Go on')
    await answers(page, 'stopped').getByText('Two,').waitFor()
    assert.equal(await page.getByText('You stopped this answer.').count(), 2)
  })
  test('reads a conversation again that was not found', async ({ browserContext }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Here I am')])
    const errors = [{ code: 'E_CONVERSATION_NOT_FOUND', message: 'There is no such conversation.' }]
    await page.route(HISTORY, (route) => route.fulfill({ status: 404, json: { errors } }), {
      times: 1,
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    const failure = page.getByRole('alert').filter({ hasText: 'There is no such conversation.' })
    await failure.getByRole('button', { name: 'Try again' }).click()
    await questions(page).getByText('Here I am').waitFor()
  })

  test('keeps a question that is sent while its history is read again', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Before'), past('assistant', 'Old.')]
    const page = await toldPage(browserContext, () => history)
    const answered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const left = [...answered]
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      await left.shift()!.promise
      await stream(route, said('New.'), DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()

    const askWhileRead = async (text: string) => {
      const release = await hold(page, HISTORY)
      const read = page.waitForRequest(HISTORY)
      await tellEnded(page)
      await read
      await say(page, text)
      await answers(page, 'streaming').waitFor()
      return () => show(page, HISTORY, release)
    }
    const showLacking = await askWhileRead('Go on')
    await showLacking()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Before', 'Go on'])
    answered[0].resolve()
    await answers(page, 'done').getByText('New.').waitFor()
    await page.getByTestId('stop').waitFor({ state: 'detached' })

    const at = new Date().toISOString()
    history.push(past('user', 'Go on', { at }), past('assistant', 'New.', { at }))
    const showHolding = await askWhileRead('And now?')
    const later = new Date().toISOString()
    history.push(past('user', 'And now?', { at: later }), past('assistant', 'N', { at: later }))
    await showHolding()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Before', 'Go on', 'And now?'])
    assert.equal(await page.getByTestId('message-agent').count(), 3)
    answered[1].resolve()
    await answers(page, 'done').nth(2).getByText('New.').waitFor()
  })

  test('keeps an answer that ends while its history is read again', async ({
    assert,
    browserContext,
  }) => {
    const history = [past('user', 'Before'), past('assistant', 'Old.')]
    const page = await toldPage(browserContext, () => history)
    await page.route(/\/api\/v1\/chat$/, (route) => stream(route, said('New.'), DONE))
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Before').waitFor()
    const lacking = [...history]
    const held = Promise.withResolvers<void>()
    const tellLacking = async (route: Route) => {
      await held.promise
      const data = { id: 'c1', surface: 'web', title: null, messages: lacking, nextCursor: null }
      await route.fulfill({ json: { data } })
    }
    await page.route(HISTORY, tellLacking, { times: 1 })
    const read = page.waitForRequest(HISTORY)
    await tellEnded(page)
    await read
    await say(page, 'Go on')
    await answers(page, 'done').getByText('New.').waitFor()
    await page.getByTestId('stop').waitFor({ state: 'detached' })
    const at = new Date().toISOString()
    history.push(past('user', 'Go on', { at }), past('assistant', 'New.', { at }))
    const again = page.waitForRequest(HISTORY)
    await show(page, HISTORY, held.resolve)
    await again
    await drawn(page)
    assert.deepEqual(await questions(page).allInnerTexts(), ['Before', 'Go on'])
    await answers(page, 'done').getByText('New.').waitFor()
  })

  test('sends what is said after a stop that was not heard while the history was read', async ({
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    let sent = 0
    await page.route(/\/api\/v1\/chat$/, (route) => {
      if (++sent > 1) return stream(route, said('New.'), DONE)
    })
    const stopped = Promise.withResolvers<void>()
    await page.route(/\/c1\/run$/, async (route) => {
      if (route.request().method() !== 'DELETE') return route.fallback()
      await stopped.promise
      await route.abort()
    })
    await refuse(page, HISTORY, 2)
    await page.goto(`${ORIGIN}/chat/c1`)
    const failure = page.getByRole('alert').filter({ hasText: 'Busy.' })
    await failure.waitFor()
    await say(page, 'Count')
    await answers(page, 'streaming').waitFor()
    await page.getByTestId('stop').click()
    const again = failure.getByRole('button', { name: 'Try again' })
    await again.waitFor()
    const release = await hold(page, HISTORY)
    const read = page.waitForRequest(HISTORY)
    await again.click()
    await read
    stopped.resolve()
    await questions(page).getByText('Before').waitFor()
    await show(page, HISTORY, release)
    await say(page, 'Go on')
    await answers(page, 'done').getByText('New.').waitFor()
  })

  test('holds a question back until the history is read that it asked for again', async ({
    assert,
    browserContext,
  }) => {
    const page = await toldPage(browserContext, () => [past('user', 'Before')])
    let sent = 0
    await page.route(/\/api\/v1\/chat$/, (route) => {
      sent++
      return stream(route, said('New.'), DONE)
    })
    await refuse(page, HISTORY, 1)
    const look = await hold(page, /\/c1\/run$/)
    await page.goto(`${ORIGIN}/chat/c1`)
    const failure = page.getByRole('alert').filter({ hasText: 'Busy.' })
    await failure.waitFor()
    const tell = await hold(page, HISTORY)
    const read = page.waitForRequest(HISTORY)
    await failure.getByRole('button', { name: 'Try again' }).click()
    await read
    await say(page, 'Go on')
    await questions(page).getByText('Go on').waitFor()
    await show(page, /\/c1\/run$/, look)
    assert.equal(sent, 0)
    assert.equal(await page.locator('[data-testid=message-user][data-state=waiting]').count(), 1)
    tell()
    await answers(page, 'done').getByText('New.').waitFor()
    assert.deepEqual(await questions(page).allInnerTexts(), ['Before', 'Go on'])
  })
})

/** Has each message answered by the text "One" and nothing more, on a connection that stays open. */
const fallSilent = (page: Page) =>
  page.addInitScript(() => {
    const call = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      if (!String(input).endsWith('/api/v1/chat')) return call(input, init)
      const first = new TextEncoder().encode('event: delta\ndata: {"text":"One"}\n\n')
      const body = new ReadableStream({ start: (controller) => controller.enqueue(first) })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
  })
