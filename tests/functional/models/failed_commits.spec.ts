import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'

/** A separate connection, so its state afterwards does not matter. */
const CONNECTION = 'failed commits'

/** Violates a deferred constraint, which both databases check only at commit. */
async function beBroken(trx: TransactionClientContract): Promise<string> {
  await trx.rawQuery('create temporary table parents (id integer primary key)')
  await trx.rawQuery(
    'create temporary table children (parent integer references parents (id) deferrable initially deferred)'
  )
  await trx.rawQuery('insert into children (parent) values (1)')
  return 'done'
}

test.group('A transaction that the database does not take', (group) => {
  group.each.setup(() => {
    const { config } = db.getRawConnection(db.primaryConnectionName)!
    db.manager.add(CONNECTION, { ...config, pool: { ...config.pool, min: 0, max: 1 } })
    return () => db.manager.close(CONNECTION, true)
  })

  test('fails for whoever gave it its work', async ({ assert }) => {
    await assert.rejects(() => db.connection(CONNECTION).transaction(beBroken), /foreign key/i)
  })

  test('fails for whoever ends it by hand', async ({ assert }) => {
    const trx = await db.connection(CONNECTION).transaction()
    await beBroken(trx)
    await assert.rejects(() => trx.commit(), /foreign key/i)
  })
})
