import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import db from '@adonisjs/lucid/services/db'
import MigrationRun from '#commands/migration_run'
import { tellCommandFailures } from '#exceptions/boot'
import SystemConfig from '#models/system_config'
import settings from '#settings/services/main'
import { runCommand } from '#tests/operator'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { SecretKey } from '#vaults/secret_keys'

const OTHER_KEY = new SecretKey('Qq1Ww2Ee3Rr4Tt5Yy6Uu7Ii8Oo9Pp0Aa')
/** Longer than it waits between two looks at the lock. */
const HELD_MS = 300

const migrate = (...flags: string[]) =>
  runCommand(MigrationRun, ['--force', '--no-schema-generate', ...flags])

/** Runs a command as a process of its own. */
const onConsole = (args: string[], env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, ['--import=@poppinss/ts-exec', 'bin/console.ts', ...args], {
    cwd: app.makePath(),
    env: { ...process.env, ...env },
  })

test.group('Migrating the database', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    const { errorHandler } = ace
    ace.ui.switchMode('raw')
    await tellCommandFailures(app)
    return () => {
      ace.errorHandler = errorHandler
      ace.ui.switchMode('normal')
    }
  })

  test('is what ace runs by this name, which a package has as well', async ({ assert }) => {
    const { stdout } = await onConsole(['migration:run', '--help'])
    assert.include(stdout, MigrationRun.description)
  })

  test('tells on standard error which database a command has made', async ({ assert, cleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaic-made-'))
    cleanup(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'mosaic.sqlite3')
    const env = { DATABASE_URL: `sqlite:${file}`, STORAGE_PATH: folder }
    const first = await onConsole(['migration:status'], env)
    assert.include(first.stderr, `A new database was made: ${file}`)
    const second = await onConsole(['migration:status'], env)
    assert.notInclude(second.stderr, 'was made')
  })

  test('refuses what a newer version has changed', async ({ assert }) => {
    await db.table('adonis_schema').insert({ name: 'database/migrations/9999_later', batch: 2 })
    const { exitCode, err } = await migrate('--disable-locks')
    assert.equal(exitCode, 1)
    assert.match(err, /^E_DATABASE_NEWER: .+\.\n.+\.$/)
  })

  test('changes nothing that another key sealed', async ({ assert, cleanup }) => {
    cleanup(() => settings.refresh())
    const sentinel = await SystemConfig.firstOrCreate(
      { key: 'vault.sentinel' },
      { encrypted: true }
    )
    const place = { table: 'system_configs', column: 'value', rowId: sentinel.id }
    const value = await new Aes256GcmDriver({ keys: [OTHER_KEY] }).seal('{}', place)
    await sentinel.merge({ value }).save()
    settings.refresh()
    const { exitCode, err } = await migrate('--disable-locks')
    assert.equal(exitCode, 1)
    assert.match(err, /^E_VAULT_WRONG_KEY: .+\.\n.+\.$/)
  })

  test('waits for another process that migrates', async ({ assert, cleanup }) => {
    if (!db.connection().dialect.supportsAdvisoryLocks) return
    const { config } = db.getRawConnection(db.primaryConnectionName)!
    db.manager.add('other', { ...config, pool: { min: 1, max: 1 } })
    cleanup(() => db.manager.close('other', true))
    const { dialect } = db.connection('other')
    assert.isTrue(await dialect.getAdvisoryLock(1))
    const migrating = migrate()
    await wait(HELD_MS)
    await dialect.releaseAdvisoryLock(1)
    const { exitCode, out, err } = await migrating
    assert.equal(exitCode, 0, err)
    assert.include(out, 'Already up to date')
    assert.isTrue(await dialect.getAdvisoryLock(1), 'the lock was given back')
    await dialect.releaseAdvisoryLock(1)
  })
})
