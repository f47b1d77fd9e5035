import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'

/** What a browser tells of its own accord when a request is refused: the page shows that itself. */
const REFUSED = /^Failed to load resource: the server responded with a status of \d+/

/** Notes what no page may do: errors on the console, and requests to anywhere but Mosaic. */
export function watchPage(page: Page) {
  const errors: string[] = []
  const strangers: string[] = []

  page.on('console', (message) => {
    if (message.type() === 'error' && !REFUSED.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(ORIGIN) && !/^(data|blob):/.test(url)) strangers.push(url)
  })
  return { errors, strangers }
}
