import { test } from '@japa/runner'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { MosaicProcess, type Ended } from '#tests/e2e/mosaic_process'
import { freePort } from '#tests/free_port'

/** The code with its message, and the next step. */
const MOST_LINES = 3

test.group('A Mosaic that cannot start', (group) => {
  let mosaic: MosaicProcess

  group.each.setup(() => {
    mosaic = new MosaicProcess()
    return () => mosaic.end()
  })
  group.each.timeout(120_000)

  const refuses = [
    {
      why: 'no database is named',
      env: { DATABASE_URL: undefined },
      says: 'E_DATABASE_URL_MISSING',
    },
    {
      why: 'the database is of no kind',
      env: { DATABASE_URL: 'x' },
      says: 'E_DATABASE_URL_INVALID',
    },
    { why: 'there is no key', env: { MOSAIC_SECRET_KEY: undefined }, says: 'E_SECRET_KEY_MISSING' },
    { why: 'the key is weak', env: { MOSAIC_SECRET_KEY: 'password' }, says: 'E_SECRET_KEY_WEAK' },
  ]
  for (const { why, env, says } of refuses) {
    test(`says so in a sentence with the next step when ${why}`, async ({ assert }) => {
      await mosaic.prepare(env)
      const ended = await mosaic.startInVain()
      assert.equal(ended.code, 1)
      assert.deepEqual(wordsOf(ended), { code: says, brief: true, stack: false })
    })
  }

  test('says so just as well where one of its commands is run', async ({ assert }) => {
    await mosaic.prepare({ MOSAIC_SECRET_KEY: 'password' })
    const ended = await mosaic.ace('migration:run', '--force')
    assert.equal(ended.code, 1)
    assert.deepEqual(wordsOf(ended), { code: 'E_SECRET_KEY_WEAK', brief: true, stack: false })
  })

  test('says so when the database does not answer', async ({ assert }) => {
    await mosaic.prepare({ DATABASE_URL: `postgres://u:canary@127.0.0.1:${await freePort()}/none` })
    const ended = await mosaic.startInVain()
    assert.equal(ended.code, 1)
    assert.deepEqual(wordsOf(ended), { code: 'E_DATABASE_UNREACHABLE', brief: true, stack: false })
    assert.notInclude(ended.out + ended.err, 'canary')
  })

  test('says so when the database was sealed with another key', async ({ assert }) => {
    await mosaic.prepare()
    await mosaic.ace('migration:run', '--force')
    await mosaic.start()
    await mosaic.stop()

    await mosaic.prepare({ MOSAIC_SECRET_KEY: randomBytes(32).toString('base64url') })
    const ended = await mosaic.startInVain()
    assert.equal(ended.code, 1)
    const told = { code: 'E_VAULT_WRONG_KEY', brief: true, stack: false }
    assert.deepEqual(wordsOf(ended), told)

    const migrated = await mosaic.ace('migration:run', '--force')
    assert.equal(migrated.code, 1)
    assert.deepEqual(wordsOf(migrated), told)
  })

  test('says so when a newer version has changed the database', async ({ assert }) => {
    await mosaic.prepare()
    await mosaic.ace('migration:run', '--force')
    const database = new DatabaseSync(mosaic.databaseFile)
    database.exec("insert into adonis_schema (name, batch) values ('database/migrations/9999', 2)")
    database.close()
    const ended = await mosaic.startInVain()
    assert.equal(ended.code, 1)
    assert.deepEqual(wordsOf(ended), { code: 'E_DATABASE_NEWER', brief: true, stack: false })
  })
})

/** Summarises the error output: its code, whether it is short, and whether it has a stack. */
function wordsOf({ out, err }: Ended) {
  const lines = err.trim().split('\n')
  const code = /^(E_[A-Z_]+): /.exec(lines[0])?.[1]
  return { code, brief: lines.length <= MOST_LINES, stack: /\n\s+at /.test(out + err) }
}
