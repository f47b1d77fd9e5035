import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import type { Page } from 'playwright'
import DataKey from '#models/data_key'
import type User from '#models/user'
import { holdAnswer } from '#tests/browser/held_answer'
import { openPage, readyInstallation } from '#tests/browser/installation'
import { barriers, cutOff, settled } from '#tests/browser/page_measures'
import { NARROWEST, SIZES } from '#tests/browser/pages'

test.group('What is known, in a browser', (group) => {
  let owner: User

  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    owner = admin
    return restore
  })

  /** Returns the page's accessibility faults and cut-off elements, in each size. */
  async function faults(page: Page): Promise<string[]> {
    await settled(page)
    const found: string[] = []
    for (const size of [SIZES.wide, SIZES.narrow, NARROWEST]) {
      await page.setViewportSize(size)
      found.push(...(await barriers(page)), ...(await cutOff(page)))
    }
    await page.setViewportSize(SIZES.wide)
    return found
  }

  test('findings are added, found, edited and deleted', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/knowledge')
    await page.getByRole('button', { name: 'Add a finding' }).click()
    await page.getByLabel('Title').fill('Harbour of Genoa')
    await page.getByLabel('Text').fill('It lies in the west.')
    await page.getByRole('button', { name: 'Save' }).last().click()
    await page.locator('[dir=auto]', { hasText: 'It lies in the west.' }).waitFor()
    /** It gives the focus back, and what is typed before that would miss its field. */
    await page.getByRole('dialog').waitFor({ state: 'detached' })

    await page.getByLabel('Search findings').fill('genoa')
    await page.getByText('Found by words').waitFor()
    await page.getByRole('button', { name: 'Edit Harbour of Genoa' }).click()
    await page.getByLabel('Text').fill('It lies in the east.')
    await page.getByRole('button', { name: 'Save' }).last().click()
    await page.getByText('It lies in the east.').waitFor()
    assert.deepEqual(await faults(page), [])

    await page.getByRole('button', { name: 'Delete Harbour of Genoa' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('No results').waitFor()
    await page.getByLabel('Search findings').fill('')
    await page.getByText('No findings').waitFor()
  })

  test('a list goes back to its last page when the only entry after it is deleted', async ({
    browserContext,
  }) => {
    const memories = await app.container.make('knowledge.memories')
    for (let index = 100; index <= 120; index++) {
      await memories.put(owner.id, { key: `memory-${index}` }, { value: index })
    }
    const page = await openPage(browserContext, '/settings/knowledge')
    const rows = page.getByRole('button', { name: /^Delete memory-/ })
    await page.getByRole('button', { name: 'Page 2' }).click()
    await rows.nth(1).waitFor({ state: 'detached' })
    await rows.click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await rows.nth(19).waitFor()
  })

  test('memory is edited and forgotten, the archive searched and deleted, all of it exported', async ({
    assert,
    browserContext,
  }) => {
    const memories = await app.container.make('knowledge.memories')
    await memories.put(owner.id, { key: 'colour' }, { value: 'blue' })
    const rules = await app.container.make('knowledge.archive_settings')
    await rules.put({ user: owner, address: null }, { enabled: true })
    const ingestion = await app.container.make('knowledge.archive_ingestion')
    const message = { id: 'm1', role: 'user' as const, text: 'Where is Genoa?', at: new Date() }
    await ingestion.ingest(owner.id, {
      list: async () => [{ id: 'c1', title: 'Travels', updatedAt: message.at }],
      read: async () => ({ messages: [message], nextCursor: null }),
    })

    const page = await openPage(browserContext, '/settings/knowledge')
    await page.getByRole('button', { name: 'Edit colour' }).click()
    await page.getByRole('dialog').locator('textarea').fill('green')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByText('green', { exact: true }).waitFor()
    assert.deepEqual(await faults(page), [])

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ])
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).type),
      ['memory', 'message']
    )

    await page.getByRole('button', { name: 'Delete colour' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('Your agent remembers nothing here yet').waitFor()
    await page.getByLabel('Search conversations').fill('genoa')
    await page.getByText('You: Where is Genoa?').waitFor()
    await page.getByRole('button', { name: 'Delete Travels' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('No results').waitFor()
    await page.getByLabel('Search conversations').fill('')
    await page.getByText('No archived conversations').waitFor()
  })

  test('a memory that the agent changes meanwhile is told, and can be saved over', async ({
    assert,
    browserContext,
  }) => {
    const memories = await app.container.make('knowledge.memories')
    await memories.put(owner.id, { key: 'colour' }, { value: 'blue' })
    const page = await openPage(browserContext, '/settings/knowledge')
    await page.getByRole('button', { name: 'Edit colour' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('textarea').fill('green')
    await memories.put(owner.id, { key: 'colour' }, { value: 'red' })
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('This memory has changed since you opened it.').waitFor()
    await page.getByText('red', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal((await memories.find(owner.id, { key: 'colour' })).value, 'green')
  })

  test('a save that ends late leaves the form that was begun after it', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/knowledge')
    const first = await holdAnswer(page, 'POST', /\/findings$/)
    await page.getByRole('button', { name: 'Add a finding' }).click()
    await page.getByLabel('Title').fill('First')
    await page.getByLabel('Text').fill('It is slow.')
    await page.getByRole('button', { name: 'Save' }).last().click()
    await first.held
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Add a finding' }).click()
    await page.getByLabel('Title').fill('Second')
    await first.release()
    await page.getByText('First', { exact: true }).waitFor()
    assert.equal(await page.getByLabel('Title').inputValue(), 'Second')
  })

  test('what a lost key sealed is counted, and deleted on the page', async ({
    assert,
    browserContext,
  }) => {
    const findings = await app.container.make('knowledge.findings')
    await findings.create(owner.id, 'person', { title: 'Sealed', body: 'by the lost key' })
    await DataKey.query().where('user_id', owner.id).delete()
    const page = await openPage(browserContext, '/settings/knowledge')
    await page.getByText('1 entry cannot be opened').waitFor()
    await page.getByText('the key that sealed it was deleted').first().waitFor()
    assert.deepEqual(await faults(page), [])

    await page.getByRole('button', { name: 'Delete unreadable entries' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('No findings').waitFor()
    await page.getByText('1 entry cannot be opened').waitFor({ state: 'detached' })
  })

  test('an embedding model that makes no vectors is refused, with the reason', async ({
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/knowledge')
    await page.getByLabel('Search by meaning').fill('gone/embed')
    await page.getByLabel('Search by meaning').press('Enter')
    await page.getByText('None of your active providers has the model "gone/embed".').waitFor()
  })

  test('tasks are added, given to the agent, moved on the board, and show their result', async ({
    assert,
    browserContext,
  }) => {
    const tasks = await app.container.make('knowledge.tasks')
    const one = { title: 'Read the news', status: 'done', result: 'Nothing new.' } as const
    await tasks.create(owner.id, 'agent', one)
    const page = await openPage(browserContext, '/tasks')
    await page.getByText('Result: Nothing new.').waitFor()
    await page.getByRole('button', { name: 'Add a task' }).click()
    await page.getByLabel('Title').fill('Pay the invoice')
    await page.getByRole('dialog').getByLabel('For my agent').check()
    await page.getByRole('dialog').getByRole('button', { name: 'Add a task' }).click()
    await page.getByRole('heading', { name: 'Pay the invoice' }).waitFor()
    assert.deepEqual(await faults(page), [])

    await page.getByRole('button', { name: 'Board' }).click()
    const column = (name: string) => page.getByRole('region', { name })
    await column('To do').getByText('Pay the invoice').waitFor()
    assert.deepEqual(await faults(page), [])
    const overflowing = await page.evaluate(
      `[...document.querySelectorAll('article')].filter((one) => one.scrollWidth > one.clientWidth).length`
    )
    assert.equal(overflowing, 0, 'cards that are narrower than their buttons')

    /** With the keyboard alone. An opened choice takes keys once its present value has the focus. */
    const chosen = (name: string) => page.locator(`[role=option]:focus`, { hasText: name })
    await page.getByLabel('State of Pay the invoice').focus()
    await page.keyboard.press('Enter')
    await chosen('To do').waitFor()
    await page.keyboard.press('ArrowDown')
    await chosen('Doing').waitFor()
    await page.keyboard.press('Enter')
    await column('Doing').getByText('Pay the invoice').waitFor()

    await column('Doing').getByRole('listitem').dragTo(column('Blocked'))
    await column('Blocked').getByText('Pay the invoice').waitFor()
    const { data } = await tasks.list(owner.id, { status: 'blocked' })
    assert.deepEqual(
      data.map(({ title, assignedAgent }) => [title, assignedAgent]),
      [['Pay the invoice', `user/${owner.id}`]]
    )
  })
})
