import type { BrowserContext, Page, Route } from 'playwright'
import { openPage } from '#tests/browser/installation'

export async function say(page: Page, text: string) {
  await page.locator('#message').fill(text)
  await page.keyboard.press('Enter')
}

export const answers = (page: Page, state: string) =>
  page.locator(`[data-testid=message-agent][data-state=${state}]`)
export const questions = (page: Page) => page.getByTestId('message-user')

/** Answers with these events, and breaks off unless the last one ends the answer. */
export const stream = (route: Route, ...events: [string, object][]) =>
  route.fulfill({
    contentType: 'text/event-stream',
    headers: { date: new Date().toUTCString() },
    body: events
      .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
      .join(''),
  })

export const WAKING: [string, object] = [
  'progress',
  { stage: 'starting', elapsedMs: 0, usualMs: 1000 },
]

export const LONG_AGO = '2026-01-01T10:00:00.000Z'
export const past = (role: 'user' | 'assistant', text: string, more: object = {}) => ({
  id: `${role}-${text}`,
  role,
  text,
  at: LONG_AGO,
  ...more,
})

/**
 * Asks from within the page, by a method that no page uses there. Once that is answered, the page knows earlier answers,
 * and its earlier requests are noted.
 */
export const echo = (page: Page, address: string) =>
  page.evaluate(`fetch('${address}', { method: 'OPTIONS' }).then((answer) => answer.text())`)

/** Tells the page, as another tab does, that an answer of its conversation has ended. */
export const tellEnded = (page: Page) =>
  page.evaluate(
    "new BroadcastChannel('mosaic.chat').postMessage({ conversation: 'c1', state: 'ended' })"
  )

/**
 * Tells this history of every conversation, in place of the agents' doubles, with `earlier` messages on a page of their
 * own, and that no answer is under way.
 */
export async function tellHistory(page: Page, history: () => object[], earlier?: object[]) {
  await page.route(/\/api\/v1\/conversations\/[^/?]+(\?cursor=.*)?$/, (route) => {
    const isFirst = !route.request().url().includes('cursor=')
    const messages = isFirst ? history() : earlier
    const nextCursor = isFirst && earlier ? 'earlier' : null
    const data = { id: 'c1', surface: 'web', title: null, messages, nextCursor }
    return route.fulfill({ json: { data } })
  })
  await page.route(/\/run$/, (route) =>
    route.fulfill({ status: 404, json: { errors: [{ code: 'E_CHAT_NOT_RUNNING', message: '' }] } })
  )
}

/** Opens a tab of a signed-in user whose conversations are told as by `tellHistory`. */
export async function toldPage(
  context: BrowserContext,
  history: () => object[],
  earlier?: object[]
): Promise<Page> {
  const page = await openPage(context)
  await tellHistory(page, history, earlier)
  return page
}
