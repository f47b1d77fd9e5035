import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { DateTime } from 'luxon'
import type { BrowserContext, Page } from 'playwright'
import type User from '#models/user'
import UserContainer from '#models/user_container'
import { ORIGIN } from '#tests/browser/chromium'
import {
  giveDemoModel,
  holdAnswersAfter,
  holdStarts,
  holdWakes,
  memoryDriver,
  openPage,
  readyInstallation,
} from '#tests/browser/installation'
import { holdAnswer } from '#tests/browser/held_answer'
import { watchPage } from '#tests/browser/page_watch'
import { answers, echo, say } from '#tests/browser/told_chat'
import { MESSAGE_LENGTH } from '#validators/chat'
import { LONGEST_MESSAGE } from '../../inertia/limits.js'

const LIST = /\/api\/v1\/conversations(\?.*)?$/

/** Longer than a deletion can be undone. */
const UNDO_MS = 9000
/** Longer than a deletion waits for anything. */
const LONGEST_MS = 60_000

/** What can be undone stays so for as long as a test takes. */
const stopClock = (page: Page) => page.clock.pauseAt(Date.now() + 60_000)

const conversation = (page: Page, title: string) =>
  page
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('listitem')
    .filter({ hasText: title })

async function deleteFromMenu(page: Page, title: string) {
  await conversation(page, title).hover()
  await page.getByRole('button', { name: `More for “${title}”` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
}

/** The list of conversations, which the agents' doubles do not tell. */
const listOf = (...titles: string[]) => ({
  data: titles.map((title, index) => ({
    id: `c${index}`,
    surface: 'web',
    title,
    pinned: false,
    preview: null,
    updatedAt: new Date().toISOString(),
  })),
  meta: { total: titles.length, page: 1, limit: 50, totalPages: 1 },
})

/** Lists conversations until they are deleted. Returns the ids of those that are. */
async function listWithDeletion(page: Page, ...titles: string[]): Promise<string[]> {
  const deleted: string[] = []
  const { data, meta } = listOf(...titles)
  await page.route(LIST, (route) =>
    route.fulfill({ json: { data: data.filter(({ id }) => !deleted.includes(id)), meta } })
  )
  await page.route(/\/api\/v1\/conversations\/c\d$/, (route) => {
    deleted.push(route.request().url().split('/').at(-1)!)
    return route.fulfill({ status: 204 })
  })
  return deleted
}

/** Opens a page whose clock stands still, with the conversation "Forget this", and others. */
async function readyToDelete(browserContext: BrowserContext, ...others: string[]) {
  const page = await openPage(browserContext)
  await page.clock.install()
  const deleted = await listWithDeletion(page, 'Forget this', ...others)
  await page.goto(`${ORIGIN}/chat`)
  await conversation(page, 'Forget this').waitFor()
  await stopClock(page)
  return { page, deleted }
}

test.group('The chat in a browser', (group) => {
  let admin: User

  group.each.setup(async () => {
    const ready = await readyInstallation()
    admin = ready.admin
    await giveDemoModel(admin)
    return ready.restore
  })

  test('wakes the agent when it is opened, and tells its state', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/settings/appearance')
    await page.locator('[data-testid=agent-pill][data-mood=asleep]').waitFor()
    await page.getByRole('link', { name: 'Chat' }).click()
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
  })

  test('sends by itself what was written while the agent woke', async ({
    assert,
    browserContext,
  }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext)
    const watch = watchPage(page)
    await page.goto(`${ORIGIN}/chat`)
    await say(page, 'First')
    await say(page, 'Second')

    await page.getByTestId('wake-bar').waitFor()
    await page.getByText('Queued: sent when your agent is awake.').waitFor()
    await page.getByText('Queued: sent after the previous answer.').waitFor()
    wake()
    await page.getByText('Turn 1: First').waitFor()
    await page.getByText('Turn 2: Second').waitFor()
    await page.getByTestId('wake-bar').waitFor({ state: 'detached' })
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('shows what the runtime does while the agent wakes, on the chat page and in the details', async ({
    browserContext,
  }) => {
    const start = await holdStarts()
    const page = await openPage(browserContext, '/chat')
    await page.getByTestId('wake-detail').getByText('Starting the agent').waitFor()
    await page.goto(`${ORIGIN}/settings/agent`)
    await page.getByTestId('agent-pill').click()
    await page.getByTestId('wake-detail').getByText('Starting the agent').waitFor()
    start()
    await page.getByTestId('wake-bar').waitFor({ state: 'detached' })
  })

  test('keeps a message that is too long, says the limit, and sends it once it is shorter', async ({
    assert,
    browserContext,
  }) => {
    assert.equal(LONGEST_MESSAGE, MESSAGE_LENGTH)
    const page = await openPage(browserContext, '/chat')
    const pasted = 'x'.repeat(LONGEST_MESSAGE + 1)
    await say(page, pasted)
    await page
      .getByTestId('too-long')
      .getByText('200,001 characters; the limit is 200,000')
      .waitFor()
    assert.equal(await page.locator('#message').inputValue(), pasted)
    assert.isTrue(await page.getByTestId('send').isDisabled())
    assert.equal(await page.locator('[data-testid^=message-]').count(), 0)

    await say(page, 'Shorter')
    await page.getByText('Turn 1: Shorter').waitFor()
    assert.equal(await page.getByTestId('too-long').count(), 0)
  })

  test('tells two minutes ahead that the agent falls asleep, and keeps it awake if asked', async ({
    assert,
    browserContext,
  }) => {
    const lifecycle = await app.container.make('agents.lifecycle')
    const page = await openPage(browserContext)
    await page.clock.install()
    await page.route(LIST, (route) => route.fulfill({ json: listOf() }))
    await page.goto(`${ORIGIN}/chat`)
    await page.getByTestId('agent-pill').filter({ hasText: 'Awake' }).waitFor()
    const before = Date.now()
    const row = await UserContainer.ownedBy(admin.id).firstOrFail()
    await page.clock.fastForward((row.idleTimeoutMin * 60 - 100) * 1000)

    const notice = page.getByTestId('sleep-notice')
    const kept = page.waitForResponse(/\/keep-awake$/)
    await notice.getByRole('button', { name: 'Keep awake' }).click()
    await kept
    await notice.waitFor({ state: 'detached' })
    const { idleStopAt } = await lifecycle.describe(`user/${admin.id}`)
    assert.isAtLeast(Date.parse(idleStopAt!), before + row.idleTimeoutMin * 60_000)
  })

  test('shows an answer as it comes, and can be stopped', async ({ assert, browserContext }) => {
    await holdAnswersAfter(20)
    const page = await openPage(browserContext, '/chat')
    await say(page, Array.from({ length: 200 }, (_, index) => `word${index}`).join(' '))
    await answers(page, 'streaming').getByText('word3').waitFor()
    await page.getByTestId('stop').click()
    await page.getByText('You stopped this answer.').waitFor()
    const text = await answers(page, 'stopped').innerText()
    assert.notInclude(text, 'word199')
  })

  test('asks before an answer that still comes is left', async ({ assert, browserContext }) => {
    await holdAnswersAfter(20)
    const page = await openPage(browserContext, '/chat')
    await say(page, Array.from({ length: 600 }, (_, index) => `word${index}`).join(' '))
    await answers(page, 'streaming').getByText('word3').waitFor()
    await page.getByRole('link', { name: 'Providers' }).click()
    const dialog = page.getByRole('dialog', { name: 'Leave while your agent answers?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    assert.match(page.url(), /\/chat\//)
    await page.getByTestId('stop').click()
    await answers(page, 'stopped').waitFor()
    await page.getByRole('link', { name: 'Providers' }).click()
    await page.waitForURL(`${ORIGIN}/settings/providers`)
  })

  test('asks before an answer that still comes is left for another conversation', async ({
    assert,
    browserContext,
  }) => {
    await holdAnswersAfter(20)
    const page = await openPage(browserContext, '/settings/providers')
    await page.getByRole('link', { name: 'Chat' }).click()
    await say(page, Array.from({ length: 600 }, (_, index) => `word${index}`).join(' '))
    await answers(page, 'streaming').getByText('word3').waitFor()
    const address = page.url()
    const dialog = page.getByRole('dialog', { name: 'Leave while your agent answers?' })
    const ways = [
      () => page.getByRole('button', { name: 'New conversation' }).click(),
      () => page.evaluate('history.back()'),
      () => page.getByRole('button', { name: 'Sign out' }).click(),
    ]
    for (const goAway of ways) {
      await goAway()
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'detached' })
      assert.equal(page.url(), address)
      await answers(page, 'streaming').waitFor()
    }
    await page.getByRole('button', { name: 'New conversation' }).click()
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await page.waitForURL(`${ORIGIN}/chat`)
    await page.getByText('What is on your mind?').waitFor()
    assert.equal(await page.getByTestId('message-agent').count(), 0)
  })

  test('goes on with a conversation after a reload', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/chat')
    await say(page, 'Remember me')
    await answers(page, 'done').waitFor()
    await page.reload()
    await answers(page, 'done').getByText('Turn 1: Remember me').waitFor()
    await say(page, 'And now')
    await page.getByText('Turn 2: And now').waitFor()
  })

  test('has the address of a new conversation before its first message goes', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/chat')
    await page.locator('#message').fill('Remember me')
    /** All within one task of the page, so that nothing that comes later can have set it. */
    const address = await page.locator('#message').evaluate((box: any) => {
      const { KeyboardEvent, location } = box.ownerDocument.defaultView
      box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
      return location.pathname
    })
    assert.match(address, /^\/chat\/c\w+$/)
    await answers(page, 'done').waitFor()
    assert.equal(new URL(page.url()).pathname, address)
    await page.reload()
    await answers(page, 'done').getByText('Turn 1: Remember me').waitFor()
    assert.equal(new URL(page.url()).pathname, address)
  })

  test('tells why there is no answer, and tries again at once', async ({ browserContext }) => {
    const memory = await memoryDriver()
    memory.behave('*', { crashMidStream: true })
    const page = await openPage(browserContext)
    await holdEnds(page)
    await page.goto(`${ORIGIN}/chat`)
    await say(page, 'Will this work')
    const failure = page.getByTestId('chat-failure')
    await failure.getByText('Your agent stopped in the middle of its answer.').waitFor()
    for (const { name } of await observed()) memory.behave(name, { crashMidStream: false })
    await failure.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Queued: sent after the previous answer.').waitFor()
    await page.evaluate('endStream()')
    await answers(page, 'done').getByText('Will this work').waitFor()
    await failure.waitFor({ state: 'detached' })
  })

  test('starts an agent at once that would wait with its next try, if a person asks', async ({
    browserContext,
  }) => {
    const memory = await memoryDriver()
    memory.behave('*', { refuse: 'exited_early' })
    const page = await openPage(browserContext, '/chat')
    const failure = page.getByTestId('chat-failure')
    await failure.getByText('Your agent stopped by itself.').waitFor()
    const row = await UserContainer.ownedBy(admin.id).firstOrFail()
    await row.merge({ retryAt: DateTime.now().plus({ minutes: 4 }) }).save()

    memory.behave(row.containerName, { refuse: undefined })
    await say(page, 'Will this work')
    await answers(page, 'failed').getByText('Your agent stopped by itself.').waitFor()
    await failure.getByRole('button', { name: 'Try again' }).click()
    await answers(page, 'done').getByText('Will this work').waitFor()
  })

  test('asks what is said while a conversation is loaded once that is there', async ({
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/chat')
    await say(page, 'First')
    await page.getByText('Turn 1: First').waitFor()
    const before = await holdAnswer(page, 'GET', /\/api\/v1\/conversations\/./)
    await page.reload()
    await before.held
    await say(page, 'Second')
    await page.getByTestId('message-user').getByText('Second').waitFor()
    await before.release()
    await page.getByText('Turn 1: First').waitFor()
    await page.getByText('Turn 2: Second').waitFor()
  })

  test('keeps an answer that is complete, although its stream breaks off', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await holdEnds(page)
    await page.goto(`${ORIGIN}/chat`)
    await say(page, 'Is this all')
    await answers(page, 'done').getByText('Is this all').waitFor()
    await page.evaluate('breakStream(new Error("The network is gone"))')
    await page.getByTestId('stop').waitFor({ state: 'detached' })
    assert.equal(await answers(page, 'done').count(), 1)
    assert.equal(await page.getByTestId('chat-failure').count(), 0)
  })

  test('is not taken for waking by an answer that tells of the wake when it is over', async ({
    assert,
    browserContext,
  }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext)
    await holdStreams(page)
    /** Doubles cannot be asked for theirs: Mosaic looks such an agent up again, and it is waking meanwhile. */
    await page.route(LIST, (route) => route.fulfill({ json: listOf() }))
    await page.goto(`${ORIGIN}/chat`)
    await page.getByTestId('wake-bar').waitFor()
    await say(page, 'Are you awake')
    wake()
    const pill = page.getByTestId('agent-pill')
    await pill.and(page.locator('[data-mood=awake]')).waitFor()
    const asked = await holdAnswer(page, 'GET', /\/api\/v1\/agent$/)
    await page.evaluate('releaseStream()')
    await answers(page, 'done').getByText('Are you awake').waitFor()
    assert.equal(await pill.getAttribute('data-mood'), 'awake')
    await asked.release()
  })

  test('lists a conversation that began while the list was on its way', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.route(LIST, (route) => route.fulfill({ json: listOf('Remember the milk') }))
    const list = await holdAnswer(page, 'GET', LIST, listOf())
    await page.goto(`${ORIGIN}/chat`)
    await list.held
    await say(page, 'Remember the milk')
    const item = page.getByRole('navigation', { name: 'Conversations' }).getByText('Remember')
    await item.waitFor()
    await list.release()
    assert.equal(await item.count(), 1)
  })

  test('renames, pins, searches and exports conversations', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const list = listOf('Parrots', 'Owls')
    await page.route(LIST, (route) => route.fulfill({ json: list }))
    const changes: unknown[] = []
    await page.route(/\/api\/v1\/conversations\/c0$/, (route) => {
      const change = route.request().postDataJSON()
      changes.push(change)
      return route.fulfill({ json: { data: Object.assign(list.data[0], change) } })
    })
    await page.goto(`${ORIGIN}/chat`)
    const choose = async (action: string, title = 'Birds of the south') => {
      const item = conversation(page, title)
      await item.hover()
      await item.getByRole('button', { name: `More for “${title}”` }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }

    await choose('Rename', 'Parrots')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Title' }).fill('Birds of the south')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })

    const pinned = page.waitForResponse(/\/conversations\/c0$/)
    await choose('Pin')
    await pinned
    assert.deepEqual(changes, [{ title: 'Birds of the south' }, { pinned: true }])

    const exportOf = /\/conversations\/c0\?format=markdown$/
    const away = { errors: [{ code: 'E_AGENT_UNREACHABLE', message: 'Your agent is away.' }] }
    await page.route(exportOf, (route) => route.fulfill({ status: 503, json: away }))
    await choose('Export as Markdown')
    await page.getByText('Your agent is away.').first().waitFor()
    await page.unroute(exportOf)
    await page.route(exportOf, (route) => route.fulfill({ body: '# Parrots' }))
    const download = page.waitForEvent('download')
    await choose('Export as Markdown')
    assert.equal((await download).suggestedFilename(), 'conversation.md')
    /** The menu gives the focus back, and what is typed before that would miss its field. */
    const more = page.getByRole('button', { name: 'More for “Birds of the south”' })
    await more.and(page.locator(':focus')).waitFor()

    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    const searched = page.waitForResponse(/\/conversations\?search=owl$/)
    await page.getByRole('searchbox', { name: 'Search conversations' }).first().fill('owl')
    await searched
  })

  test('lists the conversations of the last look while the agent sleeps', async ({
    assert,
    browserContext,
  }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext)
    await page.route(LIST, (route) => {
      const { data, meta } = listOf('Parrots')
      const isAsleep = route.request().url().includes('wake=false')
      const asOf = isAsleep && { asOf: '2026-01-02T03:04:05Z' }
      return route.fulfill({ json: { data, meta: { ...meta, ...asOf } } })
    })
    await page.goto(`${ORIGIN}/chat`)
    await conversation(page, 'Parrots').waitFor()
    assert.match(await page.getByTestId('as-of').innerText(), /Opening one wakes your agent/)
    wake()
    await page.getByTestId('as-of').waitFor({ state: 'detached' })
    await conversation(page, 'Parrots').waitFor()
  })

  test('lets each conversation have a model of its own', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const models = new Map<string, string>()
    await page.route(LIST, (route) => {
      const { data, meta } = listOf('Parrots', 'Owls')
      const known = data.map((item) => ({ ...item, model: models.get(item.id) }))
      return route.fulfill({ json: { data: known, meta } })
    })
    await page.route(/\/api\/v1\/conversations\/c\d(\?.*)?$/, async (route) => {
      const id = /c\d/.exec(route.request().url())![0]
      if (route.request().method() !== 'PATCH') {
        return route.fulfill({ json: { data: { messages: [], nextCursor: null } } })
      }
      const { model } = route.request().postDataJSON()
      models.set(id, model)
      return route.fulfill({ json: { data: { ...listOf('Parrots').data[0], id, model } } })
    })
    const choice = page.getByTestId('model-choice')
    const named = async () => choice.getAttribute('aria-label')
    await page.goto(`${ORIGIN}/chat/c0`)
    await conversation(page, 'Owls').waitFor()
    assert.equal(await named(), 'Model: Your agent’s default model')
    await choice.press('Enter')
    await page.getByRole('menuitemcheckbox', { name: 'demo/echo' }).press('Enter')
    await page.getByRole('button', { name: 'Model: demo/echo' }).waitFor()
    assert.deepEqual([...models], [['c0', 'demo/echo']])

    await conversation(page, 'Owls').getByTitle('Owls').click()
    await page.getByRole('button', { name: 'Model: Your agent’s default model' }).waitFor()
    await page.goto(`${ORIGIN}/chat/c0`)
    await page.getByRole('button', { name: 'Model: demo/echo' }).waitFor()
  })

  test('deletes a conversation after some seconds in which that can be undone', async ({
    assert,
    browserContext,
  }) => {
    const { page, deleted } = await readyToDelete(browserContext, 'Keep this')
    const item = conversation(page, 'Forget this')
    await deleteFromMenu(page, 'Forget this')
    await item.waitFor({ state: 'detached' })
    await conversation(page, 'Keep this').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await item.waitFor()
    await page.clock.fastForward(UNDO_MS)
    assert.deepEqual(deleted, [])

    await deleteFromMenu(page, 'Forget this')
    await item.waitFor({ state: 'detached' })
    const sent = page.waitForResponse((response) => response.request().method() === 'DELETE')
    const listed = page.waitForResponse(LIST)
    await page.clock.fastForward(UNDO_MS)
    await sent
    await listed
    assert.deepEqual(deleted, ['c0'])
    assert.equal(await item.count(), 0)
  })

  test('deletes a conversation at once when the page is left', async ({
    assert,
    browserContext,
  }) => {
    const { page, deleted } = await readyToDelete(browserContext)
    const sent = page.waitForResponse((response) => response.request().method() === 'DELETE')
    await deleteFromMenu(page, 'Forget this')
    await conversation(page, 'Forget this').waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Providers' }).click()
    await sent
    assert.deepEqual(deleted, ['c0'])
    /** The notice fades out. */
    await page.clock.fastForward(1000)
    await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' })
  })

  test('deletes a conversation at once when the page is hidden, and some time after it lost the focus', async ({
    assert,
    browserContext,
  }) => {
    const { page, deleted } = await readyToDelete(browserContext, 'Forget that')
    const sent = () => page.waitForResponse((response) => response.request().method() === 'DELETE')
    await deleteFromMenu(page, 'Forget this')
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    /** Notices wait for a window without the focus. */
    await page.evaluate("dispatchEvent(new Event('blur'))")
    await page.clock.fastForward(UNDO_MS)
    await echo(page, '/api/v1/agent/start')
    assert.deepEqual(deleted, [])
    const first = sent()
    await page.clock.fastForward(LONGEST_MS)
    await first
    assert.deepEqual(deleted, ['c0'])

    await deleteFromMenu(page, 'Forget that')
    await conversation(page, 'Forget that').waitFor({ state: 'detached' })
    const second = sent()
    await page.evaluate(
      "Object.defineProperty(document, 'visibilityState', { value: 'hidden' }); document.dispatchEvent(new Event('visibilitychange'))"
    )
    await second
    assert.deepEqual(deleted, ['c0', 'c1'])
  })

  test('deletes nothing while somebody points at the notice that can undo it', async ({
    assert,
    browserContext,
  }) => {
    const { page, deleted } = await readyToDelete(browserContext)
    await deleteFromMenu(page, 'Forget this')
    await page.getByRole('button', { name: 'Undo' }).hover()
    await page.clock.fastForward(UNDO_MS)
    await echo(page, '/api/v1/agent/start')
    assert.deepEqual(deleted, [])
    await page.getByRole('button', { name: 'Undo' }).click()
    await conversation(page, 'Forget this').waitFor()
    assert.deepEqual(deleted, [])
  })

  test('brings a conversation back that could not be deleted', async ({ browserContext }) => {
    const page = await openPage(browserContext)
    await page.clock.install()
    await page.route(LIST, (route) => route.fulfill({ json: listOf('Forget this') }))
    await page.route(/\/api\/v1\/conversations\/c0$/, (route) => {
      const errors = [{ code: 'E_GATEWAY_FAILED', message: 'The agent did not answer.' }]
      return route.fulfill({ status: 502, json: { errors } })
    })
    await page.goto(`${ORIGIN}/chat`)
    await conversation(page, 'Forget this').waitFor()
    await stopClock(page)
    await deleteFromMenu(page, 'Forget this')
    await conversation(page, 'Forget this').waitFor({ state: 'detached' })
    await page.clock.fastForward(UNDO_MS)
    await page.getByText('The agent did not answer.').first().waitFor()
    await conversation(page, 'Forget this').waitFor()
  })

  test('groups conversations by day, pinned ones first', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const list = listOf('Owls', 'Parrots', 'Herons')
    list.data[0].pinned = true
    list.data[2].updatedAt = new Date(Date.now() - 90 * 86_400_000).toISOString()
    await page.route(LIST, (route) => route.fulfill({ json: list }))
    await page.goto(`${ORIGIN}/chat`)
    const nav = page.getByRole('navigation', { name: 'Conversations' })
    await nav.getByText('Herons').waitFor()
    assert.deepEqual(await nav.getByRole('heading').allInnerTexts(), ['Pinned', 'Today', 'Earlier'])
    await nav.getByRole('region', { name: 'Pinned' }).getByText('Owls').waitFor()
  })

  test('begins a message with an idea', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/chat')
    await page.getByRole('button', { name: 'Explain an idea' }).click()
    await page.keyboard.type('tides')
    assert.equal(
      await page.locator('#message').inputValue(),
      'Explain to me in simple words: tides'
    )
  })

  test('shows no HTML, picture or unsafe link of an answer', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const watch = watchPage(page)
    await page.goto(`${ORIGIN}/chat`)
    await say(
      page,
      '<img src="https://example.org/a.png" onerror="alert(1)"> ![photo](https://example.org/b.png) [bad](javascript:alert(1)) [good](https://example.org/c)'
    )
    const answer = answers(page, 'done')
    await answer.getByRole('link', { name: 'good' }).waitFor()
    assert.equal(await answer.locator('img').count(), 0)
    const links = await answer
      .locator('a')
      .evaluateAll((all) =>
        all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')])
      )
    for (const [href, rel] of links) {
      assert.match(href!, /^https:\/\/example\.org/)
      assert.include(rel, 'noopener')
    }
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('speaks an answer sentence by sentence', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/chat')
    await say(page, 'One. Two.')
    await answers(page, 'done').waitFor()
    assert.match(await page.getByTestId('spoken').innerText(), /Two\.$/)
  })
})

test.group('The chat of an agent without a model', (group) => {
  group.each.setup(async () => (await readyInstallation()).restore)

  test('says what is missing, and leads there', async ({ browserContext }) => {
    const memory = await memoryDriver()
    memory.behave('*', { refuse: 'no_provider' })
    const page = await openPage(browserContext, '/chat')
    await page.getByTestId('chat-failure').waitFor()
    await page.getByTestId('chat-failure').getByRole('link', { name: 'Providers' }).click()
    await page.waitForURL(`${ORIGIN}/settings/providers`)
    await page.getByText('You have no provider yet').waitFor()
  })
})

/** Has the page wait for what an answer's stream brings until `releaseStream` is called. */
const holdStreams = (page: Page) =>
  page.addInitScript(() => {
    const call = globalThis.fetch
    const released = new Promise<void>((resolve) =>
      Object.assign(globalThis, { releaseStream: resolve })
    )
    globalThis.fetch = async (input, init) => {
      const response = await call(input, init)
      if (String(input).endsWith('/chat')) await released
      return response
    }
  })

/** Has no stream of an answer end by itself: `endStream` ends the one that is over, `breakStream` breaks it. */
const holdEnds = (page: Page) =>
  page.addInitScript(() => {
    const call = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      const response = await call(input, init)
      if (!String(input).endsWith('/chat') || !response.body) return response
      const flush = () =>
        new Promise<void>((endStream, breakStream) =>
          Object.assign(globalThis, { endStream, breakStream })
        )
      return new Response(response.body.pipeThrough(new TransformStream({ flush })), response)
    }
  })

async function observed() {
  const instances = []
  for await (const instance of (await memoryDriver()).list()) instances.push(instance)
  return instances
}
