import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import app from '@adonisjs/core/services/app'
import DataKey from '#models/data_key'
import type User from '#models/user'
import { ORIGIN } from '#tests/browser/chromium'
import { giveDemoModel, readyInstallation, signIn } from '#tests/browser/installation'
import { inEachSize, picture } from '#tests/pictures/picture'

const DAY_MS = 86_400_000

const LONG =
  'The nightly report leaves out weekends, because the exchange is closed then; whoever reads it on a Monday finds the figures of Friday. It takes them from https://reports.example.test/archive/2026/figures-of-the-last-trading-day.csv.'

/** What a user of some weeks and their agent would have stored. */
async function fill(user: User): Promise<void> {
  const findings = await app.container.make('knowledge.findings')
  const source = 'the wiki'
  await findings.create(user.id, 'agent', { title: 'Nightly report', body: LONG, source })
  const port = { title: 'Port of the staging database', body: 'It listens on 5433.' }
  const { id } = await findings.create(user.id, 'person', port)
  await findings.update(user.id, id, { confirmed: true })
  const corrected = { title: port.title, body: 'It moved to 6000 in November.', supersedes: id }
  await findings.create(user.id, 'agent', corrected)

  const memories = await app.container.make('knowledge.memories')
  await memories.put(user.id, { key: 'language' }, { value: 'English' })
  const value = { from: '09:00', to: '17:30', days: ['Mon', 'Tue', 'Thu'] }
  await memories.put(user.id, { namespace: 'work', key: 'office hours' }, { value })

  const rules = await app.container.make('knowledge.archive_settings')
  await rules.put({ user, address: null }, { enabled: true })
  const ingestion = await app.container.make('knowledge.archive_ingestion')
  const message = { id: 'm1', role: 'user' as const, text: 'Where is Genoa?', at: new Date() }
  await ingestion.ingest(user.id, {
    list: async () => [{ id: 'c1', title: 'A weekend in Genoa', updatedAt: message.at }],
    read: async () => ({ messages: [message], nextCursor: null }),
  })

  const tasks = await app.container.make('knowledge.tasks')
  const dueAt = DateTime.fromMillis(Date.now() + 3 * DAY_MS)
  const assignedAgent = `user/${user.id}`
  await tasks.create(user.id, 'person', { title: 'Pay the invoice', priority: 5, dueAt })
  const report = { title: 'Read the report', body: LONG, assignedAgent }
  const { id: claimed } = await tasks.create(user.id, 'person', report)
  await tasks.claim(user.id, claimed, 30)
  const ships = { title: 'Count the ships in the harbour', assignedAgent }
  await tasks.create(user.id, 'agent', { ...ships, status: 'done', result: 'Forty-two.' })
  await tasks.create(user.id, 'person', { title: 'Renew the passport', status: 'blocked' })
}

test.group('Pictures of what is known', () => {
  test('findings, memory, the archive, and tasks', async ({ browserContext }) => {
    const { admin, restore } = await readyInstallation()
    await giveDemoModel(admin)
    await fill(admin)
    await signIn(browserContext)
    await inEachSize(browserContext, async (page) => {
      await page.goto(`${ORIGIN}/settings/knowledge`)
      await page.getByText('Nightly report').first().waitFor()
      await picture(page, 'knowledge')
      await page.getByText('A weekend in Genoa').scrollIntoViewIfNeeded()
      await picture(page, 'knowledge-end')
      await page.getByRole('button', { name: 'Edit Nightly report' }).click()
      await page.getByRole('dialog').waitFor()
      await picture(page, 'knowledge-finding')

      await page.goto(`${ORIGIN}/tasks`)
      await page.getByText('Pay the invoice').waitFor()
      await picture(page, 'tasks-list')
      await page.getByRole('button', { name: 'Board' }).click()
      await page.getByRole('region', { name: 'To do' }).waitFor()
      await picture(page, 'tasks-board')
      await page.getByRole('button', { name: 'Add a task' }).click()
      await page.getByRole('dialog').waitFor()
      await picture(page, 'tasks-add')
    })

    await DataKey.query().where('user_id', admin.id).delete()
    await inEachSize(browserContext, async (page) => {
      await page.goto(`${ORIGIN}/settings/knowledge`)
      await page.getByText('cannot be opened').first().waitFor()
      await picture(page, 'knowledge-lost-key')
    })
    await restore()
  })
})
