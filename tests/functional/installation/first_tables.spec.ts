import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import emitter from '@adonisjs/core/services/emitter'
import logger from '@adonisjs/core/services/logger'
import { Database } from '@adonisjs/lucid/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import { E_DATABASE_NEWER, E_DATABASE_NOT_MIGRATED } from '#exceptions/database_errors'
import { makeFirstTables } from '#installation/first_tables'

test.group('The tables at a boot', (group) => {
  let folder: string
  let db: Database

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-tables-'))
    const own = {
      client: 'better-sqlite3' as const,
      connection: { filename: join(folder, 'mosaic.sqlite3') },
      useNullAsDefault: true,
      migrations: { naturalSort: true, paths: ['database/migrations'] },
    }
    db = new Database({ connection: 'own', connections: { own } }, logger, emitter)
    return async () => {
      await db.manager.closeAll(true)
      rmSync(folder, { recursive: true })
    }
  })

  test('those that a newer version has changed are refused', async ({ assert }) => {
    await makeFirstTables(db, app)
    await makeFirstTables(db, app)
    await db.table('adonis_schema').insert({ name: 'database/migrations/9999_later', batch: 2 })
    await assert.rejects(() => makeFirstTables(db, app), E_DATABASE_NEWER)
  })

  test('are finished after a boot that ended in the middle, and never beside data', async ({
    assert,
  }) => {
    const revert = async () => {
      const runner = new MigrationRunner(db, app, { direction: 'down', batch: 0, step: 10 })
      await runner.run()
      assert.isNull(runner.error)
    }
    await makeFirstTables(db, app)
    const tables = await db.connection().getAllTables()
    await revert()
    assert.isBelow((await db.connection().getAllTables()).length, tables.length)
    await makeFirstTables(db, app)
    assert.sameMembers(await db.connection().getAllTables(), tables)

    await revert()
    const now = new Date()
    const row = { id: 'one', key: 'vault.sentinel', created_at: now, updated_at: now }
    await db.table('system_configs').insert(row)
    await assert.rejects(() => makeFirstTables(db, app), E_DATABASE_NOT_MIGRATED)
  })

  test('are looked at again where another replica renamed one meanwhile', async ({ assert }) => {
    await makeFirstTables(db, app)
    const connection = db.connection.bind(db)
    const seen: string[] = []
    db.connection = (...args) => {
      const client = connection(...args)
      const from = client.from.bind(client)
      client.getAllTables = async () =>
        seen.length === 0 ? ['system_configs', 'renamed'] : ['system_configs']
      client.from = ((name: string) => {
        seen.push(name)
        if (name !== 'renamed') return from(name)
        throw Object.assign(new Error('relation does not exist'), { code: '42P01' })
      }) as typeof from
      return client
    }
    await makeFirstTables(db, app)
    assert.include(seen, 'renamed')
  })

  test('fail with the error of a migration that names a missing table', async ({
    assert,
    cleanup,
  }) => {
    const { run } = MigrationRunner.prototype
    const missing = Object.assign(new Error('relation "missing" does not exist'), { code: '42P01' })
    MigrationRunner.prototype.run = async function () {
      this.error = missing
    }
    cleanup(() => void (MigrationRunner.prototype.run = run))
    await assert.rejects(() => makeFirstTables(db, app), missing.message)
  })
})
