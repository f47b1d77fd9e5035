import { join } from 'node:path'
import { test } from '@japa/runner'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { bootSecrets, type BootSecretsInput } from '#vaults/boot_secrets'

const KEY = 'kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E'

test.group('Boot secrets', (group) => {
  let folder: string

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-boot-'))
    const known = process.env.MOSAIC_SECRET_KEY
    return () => {
      process.env.MOSAIC_SECRET_KEY = known
      rmSync(folder, { recursive: true })
    }
  })

  const boot = (input: Partial<BootSecretsInput>) =>
    bootSecrets({
      envFile: join(folder, '.env'),
      storagePath: folder,
      mode: 'production',
      ...input,
    })

  test('production needs a database and a key, and says how to give them', ({ assert }) => {
    assert.throws(() => boot({ secretKey: KEY }), /DATABASE_URL is not set/)
    assert.throws(() => boot({ databaseUrl: 'postgres://h/d' }), /MOSAIC_SECRET_KEY is not set/)
  })

  test('a weak or well-known key is refused: {$self}')
    .with(['short', 'a'.repeat(64), 'changeme-changeme-changeme-changeme-42', `${KEY},short`])
    .run(({ assert }, secretKey) => {
      assert.throws(() => boot({ databaseUrl: 'postgres://h/d', secretKey }), /too short/)
    })

  test('an address of no known database is refused', ({ assert }) => {
    assert.throws(() => boot({ databaseUrl: 'mysql://h/d', secretKey: KEY }), /neither/)
  })

  test('an address of PostgreSQL that cannot be read is refused', ({ assert }) => {
    const databaseUrl = 'postgres://user:pass#word@host/name'
    assert.throws(() => boot({ databaseUrl, secretKey: KEY }), /neither/)
  })

  test('a place that cannot hold a file is refused as that', ({ assert }) => {
    writeFileSync(join(folder, 'file'), '')
    for (const path of [folder, join(folder, 'file', 'mosaic.sqlite3')]) {
      const start = () => boot({ databaseUrl: `sqlite:${path}`, secretKey: KEY })
      assert.throws(start, /cannot be used as a database/)
    }
  })

  test('development makes a key once and keeps it where only the owner reads', ({ assert }) => {
    const { keys, database, made } = boot({ mode: 'development' })
    const file = join(folder, '.env')
    assert.deepEqual(made, [
      `DATABASE_URL is not set: a new database was made: ${join(folder, 'mosaic.sqlite3')}`,
      `MOSAIC_SECRET_KEY is not set: a new key was made, and kept in ${file}`,
    ])
    assert.equal(statSync(file).mode & 0o777, 0o600)

    const [, secretKey] = /^MOSAIC_SECRET_KEY=(.+)$/m.exec(readFileSync(file, 'utf8'))!
    const again = boot({ mode: 'development', secretKey })
    assert.equal(again.keys[0].id, keys[0].id)
    assert.deepEqual(again.made, [])
    assert.deepEqual(database, {
      client: 'better-sqlite3',
      filename: join(folder, 'mosaic.sqlite3'),
    })
  })
})
