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
/** Processor time of a page's main thread until the page shows all that it loads: twice what the longest one takes. */
const THREAD_BUDGET_MS = 1500

const MEMBER = { username: 'mia', password: 'plain horse battery' }

interface Visit {
  /** The window in which pages are opened; afterwards it gets the other sizes. */
  size: keyof typeof SIZES
  /** Looks for barriers as well, in each size. They do not depend on who looks. */
  whole?: boolean
}

/** Opens pages as a newcomer does, and returns what is wrong with them. */
async function faults(context: BrowserContext, addresses: string[], visit: Visit) {
  const found: string[] = []
  for (const address of addresses) {
    const here = await faultsAt(context, address, visit)
    found.push(...here.map((fault) => `${address}: ${fault}`))
  }
  return found
}

async function faultsAt(context: BrowserContext, address: string, { size, whole }: Visit) {
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

  const others = Object.values(SIZES).filter((other) => other !== SIZES[size])
  for (const window of [SIZES[size], ...others]) {
    await page.setViewportSize(window)
    found.push(...(await cutOff(page)))
    if (whole) found.push(...(await barriers(page)))
  }
  await page.setViewportSize(NARROWEST)
  found.push(...(await cutOff(page)))
  found.push(...watch.errors.map((error) => `console: ${error}`))
  found.push(...watch.strangers.map((url) => `calls ${url}`))
  await page.close()
  return found
}

/** Every page is opened in each size, and those of members by an admin and by a member. */
test.group('A walk through every page', (group) => {
  group.each.timeout(480_000)
  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await giveLocalAccount(MEMBER)
    await busyFleet()
    return restore
  })

  test('as an admin, on a wide screen', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    const addresses = [...MEMBER_PAGES, ...ADMIN_PAGES]
    const found = await faults(browserContext, addresses, { size: 'wide', whole: true })
    assert.deepEqual(found, [])
  })

  test('as an admin, on a narrow screen', async ({ assert, browserContext }) => {
    await signIn(browserContext)
    assert.deepEqual(await faults(browserContext, ADMIN_PAGES, { size: 'narrow' }), [])
  })

  test('as a member, on a narrow screen', async ({ assert, browserContext }) => {
    await signIn(browserContext, MEMBER)
    assert.deepEqual(await faults(browserContext, MEMBER_PAGES, { size: 'narrow' }), [])

    for (const address of ADMIN_PAGES) {
      const answer = await browserContext.request.get(`${ORIGIN}${address}`)
      assert.equal(answer.status(), 403, address)
    }
  })
})
