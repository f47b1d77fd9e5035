import type { Page } from 'playwright'

/** An answer of the API that is on its way. */
export interface HeldAnswer {
  /** The server has answered, and the page does not know it. */
  held: Promise<void>
  /** Lets it reach the page. */
  release(): Promise<void>
}

/**
 * Keeps the next answer to `method` of an address from the page, as a slow network does. It is the server's
 * unless `json` is given.
 *
 * A page that is open takes its first route over a little later than Playwright says: what a key pressed at once asks
 * for would go past it.
 */
export async function holdAnswer(
  page: Page,
  method: string,
  address: RegExp,
  json?: object
): Promise<HeldAnswer> {
  const held = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  let isHeld = false
  await page.route(address, async (route) => {
    if (isHeld || route.request().method() !== method) return route.fallback()
    isHeld = true
    const answer = json ? { json } : { response: await route.fetch() }
    held.resolve()
    await released.promise
    await route.fulfill(answer)
    await (await route.request().response())?.finished()
    arrived.resolve()
  })
  await drawn(page)
  return {
    held: held.promise,
    async release() {
      released.resolve()
      await arrived.promise
      await drawn(page)
    },
  }
}

/** Once the page has shown what it knows by now. */
export const drawn = (page: Page) =>
  page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))')
