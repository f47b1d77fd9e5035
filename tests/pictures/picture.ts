import type { BrowserContext, Page } from 'playwright'
import app from '@adonisjs/core/services/app'
import { SIZES } from '#tests/browser/pages'

const FOLDER = app.makePath('screenshots')

const SCHEMES = ['light', 'dark'] as const

/** One picture of what is on the page, in both schemes; by default once it has loaded what it shows. */
export async function picture(page: Page, name: string, { settled = true } = {}) {
  await page.locator('h1, main').first().waitFor()
  if (settled) {
    await page
      .getByTestId('agent-pill')
      .filter({ hasText: 'Loading' })
      .waitFor({ state: 'detached' })
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
  }
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    const size = page.viewportSize()!.width === SIZES.wide.width ? 'wide' : 'narrow'
    await page.screenshot({ path: `${FOLDER}/${name}.${size}.${scheme}.png` })
  }
}

/** Acts on a new page of each size. */
export async function inEachSize(context: BrowserContext, act: (page: Page) => Promise<void>) {
  for (const size of Object.values(SIZES)) {
    const page = await context.newPage()
    await page.setViewportSize(size)
    await act(page)
    await page.close()
  }
}
