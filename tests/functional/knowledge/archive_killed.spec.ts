import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import ArchiveMessage from '#models/archive_message'
import { UserFactory } from '#database/factories/user_factory'
import { manyMessages } from '#tests/functional/knowledge/conversations'

const PROCESS = fileURLToPath(new URL('./ingesting_process.ts', import.meta.url))
const MESSAGES = 10_000
const ASK_EVERY_MS = 20

test.group('An archive of many messages', (group) => {
  group.each.setup(() => testUtils.db().truncate())

  async function kept(): Promise<number> {
    const { n } = await db.from('archive_messages').count('* as n').first()
    return Number(n)
  }

  /** Ingests in a process of its own, and kills it once it has stored so many messages. */
  async function ingestAndKill(userId: string, since: number, most: number): Promise<void> {
    const args = ['--import=@poppinss/ts-exec', PROCESS, userId, String(since)]
    const child = spawn(process.execPath, args, {
      cwd: app.makePath(),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const exit = once(child, 'exit')
    while (child.exitCode === null && (await kept()) < most) {
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    child.kill('SIGKILL')
    const [, signal] = await exit
    if (signal !== 'SIGKILL') throw new Error('It ended before it could be killed.')
  }

  test('loses and doubles nothing when its process is killed, and is the same when ingested twice', async ({
    assert,
  }) => {
    const user = await UserFactory.create()
    const { id: userId } = user
    const rules = await app.container.make('knowledge.archive_settings')
    await rules.put({ user, address: '127.0.0.1' }, { enabled: true })
    const since = Date.now() - 60_000
    await ingestAndKill(userId, since, 200)
    await ingestAndKill(userId, since, 2500)
    const killed = await kept()
    assert.isBelow(killed, MESSAGES)

    const ingestion = await app.container.make('knowledge.archive_ingestion')
    const source = manyMessages(since)
    assert.equal(await ingestion.ingest(userId, source), MESSAGES - killed)
    const rows = await ArchiveMessage.ownedBy(userId).orderBy('id')
    const cipher = await (await app.container.make('knowledge.keys')).require(userId)
    const texts = rows.map((row) => row.openWith(cipher, 'text')!)
    const said = [...source.said.values()].flat().map(({ text }) => text)
    assert.deepEqual(texts.toSorted(), said.toSorted())
    const documents = await db.from('search_documents').select('ref_id').orderBy('ref_id')
    const ids = rows.map(({ id }) => id)
    assert.deepEqual(
      documents.map((row) => row.ref_id),
      ids
    )

    assert.equal(await ingestion.ingest(userId, source), 0)
    const again = await ArchiveMessage.ownedBy(userId).orderBy('id').select('id')
    assert.deepEqual(
      again.map(({ id }) => id),
      ids
    )
  }).timeout(600_000)
})
