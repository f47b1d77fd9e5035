import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import type User from '#models/user'
import { ORIGIN } from '#tests/browser/chromium'
import {
  giveDemoModel,
  memoryDriver,
  openPage,
  readyInstallation,
} from '#tests/browser/installation'
import { watchPage } from '#tests/browser/page_watch'

test.group('The archive in a browser', (group) => {
  let admin: User

  group.each.setup(async () => {
    const ready = await readyInstallation()
    admin = ready.admin
    await giveDemoModel(admin)
    return ready.restore
  })

  /** Archives one message of a conversation. */
  async function archived(id: string, title: string, text: string) {
    const rules = await app.container.make('knowledge.archive_settings')
    await rules.put({ user: admin, address: '127.0.0.1' }, { enabled: true })
    const at = new Date()
    const ingestion = await app.container.make('knowledge.archive_ingestion')
    await ingestion.ingest(admin.id, {
      list: async () => [{ id, title, updatedAt: at }],
      read: async () => ({ messages: [{ id: 'm1', role: 'user', text, at }], nextCursor: null }),
    })
  }

  test('is searched from the chat page while the agent is not awake', async ({
    assert,
    browserContext,
  }) => {
    const memory = await memoryDriver()
    memory.behave('*', { bootMs: 60_000 })
    const lead = 'Long ago we spoke of many things. '.repeat(3)
    await archived('c-sea', 'At the sea', `${lead}The lighthouse of Genoa is tall.`)
    const page = await openPage(browserContext)
    const watch = watchPage(page)
    await page.goto(`${ORIGIN}/chat`)
    await page.getByTestId('wake-bar').waitFor()
    const box = page.getByRole('searchbox', { name: 'Search conversations' }).first()
    await box.fill('genoa LIGHTHOUSE')
    const matches = page.getByTestId('archive-matches').first()
    const match = matches.getByRole('button', { name: /The lighthouse of Genoa is tall\./ })
    await match.waitFor()
    assert.match(await match.innerText(), /At the sea/)
    assert.match(await match.innerText(), /^…/)

    await box.fill('zeppelin')
    await matches.waitFor({ state: 'detached' })
    await box.fill('lighthouse')
    await match.click()
    await page.waitForURL(`${ORIGIN}/chat/c-sea`)
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })
})
