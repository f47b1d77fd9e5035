import { test } from '@japa/runner'
import type { BrowserContext } from 'playwright'
import { busyFleet } from '#tests/browser/busy_fleet'
import { ORIGIN } from '#tests/browser/chromium'
import {
  giveDemoModel,
  giveLocalAccount,
  readyInstallation,
  signIn,
} from '#tests/browser/installation'
import {
  barriers,
  countScripts,
  countThreadTime,
  cutOff,
  settled,
} from '#tests/browser/page_measures'
import { watchPage } from '#tests/browser/page_watch'
import { ADMIN_PAGES, MEMBER_PAGES, NARROWEST, SIZES } from '#tests/browser/pages'

/** Compressed script that the first load of a page may need. */
const SCRIPT_BUDGET = 245 * 1024
/** Processor time of a page's main thread until the page shows all that it loads. */
const THREAD_BUDGET_MS = 1000

const MEMBER = { username: 'mia', password: 'plain horse battery' }

interface Visit {
  address: string
  size: keyof typeof SIZES
  /** Looks for barriers as well, which do not depend on who looks. */
  whole: boolean
}

/** Opens a page as a newcomer does, and gives what is wrong with it. */
async function faults(context: BrowserContext, { address, size, whole }: Visit) {
  const page = await context.newPage()
  await page.setViewportSize(SIZES[size])
  const watch = watchPage(page)
  const scripts = countScripts(page)
  const found: string[] = []

  const threadTime = await countThreadTime(page)
  await page.goto(`${ORIGIN}${address}`)
  await settled(page)
  const took = await threadTime()
  if (took > THREAD_BUDGET_MS) found.push(`takes ${Math.round(took)} ms of its thread`)

  const bytes = await scripts()
  if (bytes > SCRIPT_BUDGET) found.push(`loads ${Math.round(bytes / 1024)} kB of script`)

  found.push(...(await cutOff(page)))
  if (whole) found.push(...(await barriers(page)))
  if (size === 'narrow') {
    await page.setViewportSize(NARROWEST)
    found.push(...(await cutOff(page)))
  }
  found.push(...watch.errors.map((error) => `console: ${error}`))
  found.push(...watch.strangers.map((url) => `calls ${url}`))
  await page.close()
  return found.map((fault) => `${address}: ${fault}`)
}

test.group('A walk through every page', (group) => {
  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await giveLocalAccount(MEMBER)
    await busyFleet()
    return restore
  })

  for (const size of ['wide', 'narrow'] as const) {
    test(`as an admin, on a ${size} screen`, async ({ assert, browserContext }) => {
      await signIn(browserContext)
      const found: string[] = []
      for (const address of [...MEMBER_PAGES, ...ADMIN_PAGES]) {
        found.push(...(await faults(browserContext, { address, size, whole: true })))
      }
      assert.deepEqual(found, [])
    }).timeout(240_000)

    test(`as a member, on a ${size} screen`, async ({ assert, browserContext }) => {
      await signIn(browserContext, MEMBER)
      const found: string[] = []
      for (const address of MEMBER_PAGES) {
        found.push(...(await faults(browserContext, { address, size, whole: false })))
      }
      assert.deepEqual(found, [])

      const page = await browserContext.newPage()
      for (const address of ADMIN_PAGES) {
        const answer = await page.goto(`${ORIGIN}${address}`)
        assert.equal(answer!.status(), 403, address)
      }
    }).timeout(240_000)
  }
})
