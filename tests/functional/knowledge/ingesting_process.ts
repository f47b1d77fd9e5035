/**
 * Ingests many messages for one user in a process of its own, which a test may kill.
 *
 * Usage: ingesting_process.ts <user id> <time of the first message>
 */
import 'reflect-metadata'
import { Ignitor } from '@adonisjs/core'
import { manyMessages } from '#tests/functional/knowledge/conversations'

const [userId, since] = process.argv.slice(2)
const root = new URL('../../../', import.meta.url)
const app = new Ignitor(root, {
  importer: (path) => import(/^\.{1,2}\//.test(path) ? new URL(path, root).href : path),
})
  .tap((booting) => {
    booting.booting(async () => {
      await import('#start/env')
    })
  })
  .createApp('console')
await app.init()
await app.boot()
const ingestion = await app.container.make('knowledge.archive_ingestion')
await ingestion.ingest(userId, manyMessages(Number(since)))
await app.terminate()
