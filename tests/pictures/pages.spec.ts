import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { busyFleet } from '#tests/browser/busy_fleet'
import { ORIGIN } from '#tests/browser/chromium'
import {
  freshInstallation,
  giveDemoModel,
  giveSignInService,
  memoryDriver,
  openPage,
  readyInstallation,
  setupToken,
  signIn,
} from '#tests/browser/installation'
import { ADMIN_PAGES, MEMBER_PAGES, SIZES } from '#tests/browser/pages'
import { inEachSize, picture } from '#tests/pictures/picture'

const MARKDOWN =
  '**Markdown** works: a [link](https://example.org), `code` and\n\n- a list\n- of things\n\n```ts\nconst answer = 42\n```'

/** The pages of the frame, each as its address and the name of its picture. */
const PAGES = [...MEMBER_PAGES.slice(1), ...ADMIN_PAGES, '/nowhere'].map(
  (address) => [address, address.slice(1).replaceAll('/', '-')] as const
)

/** Conversations as an agent would remember them: the double of one answers no such question. */
async function rememberConversations(page: Page) {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  const data = [
    { id: 'a', surface: 'web', title: 'A weekend in Porto', updatedAt: minutesAgo(42) },
    { id: 'b', surface: 'api', title: 'Nightly report', updatedAt: minutesAgo(600) },
    { id: 'c', surface: 'web', title: 'Birthday present for Ana', updatedAt: minutesAgo(4000) },
  ].map((conversation) => ({ ...conversation, preview: null }))
  const meta = { total: data.length, page: 1, limit: 50, totalPages: 1 }
  await page.route('**/api/v1/conversations', (route) => route.fulfill({ json: { data, meta } }))
}

async function say(page: Page, text: string) {
  await page.locator('#message').fill(text)
  await page.getByTestId('send').click()
}

test.group('Pictures of the pages', () => {
  test('the set-up', async ({ browserContext }) => {
    for (const size of Object.values(SIZES)) {
      const restore = await freshInstallation()
      const page = await browserContext.newPage()
      await page.setViewportSize(size)
      await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
      await picture(page, 'onboarding-1-account')
      await page.getByLabel('Password', { exact: true }).fill('short')
      await page.getByRole('button', { name: 'Create the account' }).click()
      await picture(page, 'onboarding-1-account-errors')
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
      await page.getByRole('button', { name: 'Create the account' }).click()
      await page.getByText('Single sign-on').waitFor()
      await picture(page, 'onboarding-2-sign-in')
      await page.getByRole('button', { name: 'Skip for now' }).click()
      await page.getByTestId('type-openai').click()
      await picture(page, 'onboarding-3-model')
      await page.getByTestId('type-demo').click()
      await page.getByTestId('test-connection').click()
      await page.getByText('The connection works').waitFor()
      await picture(page, 'onboarding-3-model-tested')
      await page.getByRole('button', { name: 'Save and continue' }).click()
      await page.getByRole('button', { name: 'Add a system agent' }).click()
      await picture(page, 'onboarding-4-system-agents')
      await page.getByRole('button', { name: 'Skip for now' }).click()
      await page.getByText('Everything is ready').waitFor()
      await picture(page, 'onboarding-5-done')
      await page.close()
      await browserContext.clearCookies()
      await restore()
    }
  })

  test('signing in', async ({ browserContext }) => {
    const { restore } = await readyInstallation()
    await inEachSize(browserContext, async (page) => {
      await page.goto(`${ORIGIN}/login`)
      await picture(page, 'login')
      await page.getByLabel('Username').fill('admin')
      await page.getByLabel('Password', { exact: true }).fill('wrong password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').waitFor()
      await picture(page, 'login-refused')
    })
    await restore()
  })

  test('services to sign in with', async ({ browserContext }) => {
    const { restore } = await readyInstallation()
    await giveSignInService('github')
    await giveSignInService('google')
    await inEachSize(browserContext, async (page) => {
      await page.goto(`${ORIGIN}/login`)
      await picture(page, 'login-services')
      await signIn(browserContext)
      await page.goto(`${ORIGIN}/admin/authentication`)
      await page.getByTestId('service-github').waitFor()
      await page.getByTestId('service-github').scrollIntoViewIfNeeded()
      await picture(page, 'admin-authentication-services')
      await page.getByRole('button', { name: 'Edit GitHub' }).click()
      await page.getByRole('dialog').getByLabel('Client ID').waitFor()
      await picture(page, 'admin-authentication-service')
      await page.getByRole('dialog').getByText('People can sign in').scrollIntoViewIfNeeded()
      await picture(page, 'admin-authentication-service-end')
      await browserContext.clearCookies()
    })
    await restore()
  })

  test('the frame and its pages', async ({ browserContext }) => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await busyFleet()
    await signIn(browserContext)
    await inEachSize(browserContext, async (page) => {
      for (const [address, name] of PAGES) {
        await page.goto(`${ORIGIN}${address}`)
        await picture(page, name)
      }
    })
    await restore()
  })

  test('what opens on the pages', async ({ browserContext }) => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await busyFleet()
    await signIn(browserContext)
    await inEachSize(browserContext, async (page) => {
      const dialog = page.getByRole('dialog')
      const open = async (address: string, button: string) => {
        await page.goto(`${ORIGIN}${address}`)
        await page.getByRole('button', { name: button }).first().click()
        await dialog.waitFor()
      }
      await open('/settings/providers', 'Add a provider')
      await picture(page, 'dialog-provider')
      await page.goto(`${ORIGIN}/settings/providers`)
      await page.getByRole('button', { name: 'More about Demo model' }).click()
      await page.getByRole('menuitem', { name: 'Delete' }).click()
      await dialog.waitFor()
      await picture(page, 'dialog-provider-delete')

      await open('/settings/tokens', 'Create a token')
      await page.getByLabel('Name').fill('Nightly report')
      await dialog.getByRole('button', { name: 'Create a token' }).click()
      await page.getByRole('button', { name: 'I have copied it' }).waitFor()
      await picture(page, 'dialog-token')

      await open('/admin/users', 'Details of Ana Sousa')
      await picture(page, 'dialog-user')
      await open('/admin/users', 'Invite someone')
      await picture(page, 'dialog-invite')
      await open('/admin/system-agents', 'Add a system agent')
      await picture(page, 'dialog-system-agent')
    })
    await restore()
  })

  /** `chat.wide.light.png` is the picture of the README, `docs/images/chat.png`: it shows no failure. */
  test('the chat', async ({ assert, browserContext }) => {
    for (const size of Object.values(SIZES)) {
      const { admin, restore } = await readyInstallation()
      await giveDemoModel(admin)
      const memory = await memoryDriver()
      memory.behave('*', { bootMs: 6_000, chunkDelayMs: 20 })
      const page = await openPage(browserContext)
      await page.setViewportSize(size)
      await rememberConversations(page)

      await page.goto(`${ORIGIN}/chat`)
      await say(page, 'Are you there already?')
      await page.getByTestId('wake-bar').waitFor()
      await picture(page, 'chat-waking', { settled: false })
      await page.locator('[data-testid=message-agent][data-state=done]').waitFor()
      await say(page, MARKDOWN)
      await page.locator('[data-testid=message-agent][data-state=done]').nth(1).waitFor()
      await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
      assert.equal(await page.locator('.text-error, [role=alert]').count(), 0)
      if (size === SIZES.wide) await page.getByText('A weekend in Porto').waitFor()
      await picture(page, 'chat')
      await page.getByTestId('agent-pill').click()
      await page.getByText('Keep awake').waitFor()
      await picture(page, 'chat-agent-panel')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+k')
      await page.getByPlaceholder('Find a page or an action').waitFor()
      await picture(page, 'palette')
      await page.close()
      await browserContext.clearCookies()
      await restore()
    }
  })
})
