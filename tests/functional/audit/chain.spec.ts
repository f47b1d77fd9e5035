import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { auditKey } from '#audit/audit_key'
import { verifyAudit } from '#audit/verification'
import AuditVerify from '#commands/audit_verify'
import AuditEvent from '#models/audit_event'
import settings from '#settings/services/main'
import { UserFactory } from '#database/factories/user_factory'
import { Visitor } from '#tests/visitor'

const COUNT = 12

async function recordSome() {
  const audit = await app.container.make('audit')
  const actor = await UserFactory.merge({ email: 'ada@example.test' }).create()
  await Promise.all(
    Array.from({ length: COUNT }, (_, index) =>
      audit.record({
        actor,
        action: index % 2 ? 'user.changed' : 'settings.changed',
        subject: { type: 'user', id: `subject-${index}` },
        details: { index, keys: ['b', 'a'], nested: { z: 1, a: null } },
        address: '192.0.2.1',
      })
    )
  )
}

const verify = async (expected?: string) => verifyAudit(await auditKey(settings), expected)

const table = () => db.from('audit_events')

async function runCommand(args: string[] = []) {
  const command = (await ace.create(AuditVerify, ['--json', ...args])) as AuditVerify
  command.logger.flushLogs()
  await command.exec()
  const [line] = command.logger.getLogs()
  return { exitCode: command.exitCode ?? 0, told: JSON.parse(line.message) }
}

test.group('The chain of the audit record', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await table().delete()
    await recordSome()
  })
  group.each.setup(() => {
    ace.ui.switchMode('raw')
    return () => ace.ui.switchMode('normal')
  })

  test('holds after events that came at the same time', async ({ assert }) => {
    const found = await verify()
    assert.containsSubset(found, { verified: COUNT, unsealed: 0, broken: null })
    assert.equal(found.head?.sequence, COUNT)
    const { exitCode, told } = await runCommand()
    assert.equal(exitCode, 0)
    assert.deepEqual(told, found)
  })

  const WOUNDS: [string, () => PromiseLike<unknown>, string, number][] = [
    ['an actor', () => table().where('sequence', 5).update({ actor_name: 'x' }), 'altered', 5],
    ['a detail', () => table().where('sequence', 3).update({ details: '{"a":1}' }), 'altered', 3],
    [
      'a hash',
      () =>
        table()
          .where('sequence', 4)
          .update({ hash: '0'.repeat(64) }),
      'altered',
      4,
    ],
    ['an event that is gone', () => table().where('sequence', 7).delete(), 'missing', 7],
    ['a beginning that is gone', () => table().where('sequence', '<', 3).delete(), 'missing', 1],
  ]
  for (const [what, wound, problem, sequence] of WOUNDS) {
    test(`finds ${what}`, async ({ assert }) => {
      await wound()
      assert.deepEqual((await verify()).broken, { problem, sequence })
      const { exitCode, told } = await runCommand()
      assert.equal(exitCode, 1)
      assert.equal(told.verified, sequence - 1)
    })
  }

  test('finds two events that changed places', async ({ assert }) => {
    await table().where('sequence', 5).update({ sequence: 100 })
    await table().where('sequence', 6).update({ sequence: 5 })
    await table().where('sequence', 100).update({ sequence: 6 })
    assert.deepEqual((await verify()).broken, { problem: 'altered', sequence: 5 })
  })

  test('finds an end that was cut off, by a hash that was noted before', async ({ assert }) => {
    const { head } = await verify()
    await table()
      .where('sequence', '>', COUNT - 2)
      .delete()
    assert.isNull((await verify()).broken, 'the rest holds together')
    const { exitCode, told } = await runCommand([`--expect=${head!.hash}`])
    assert.equal(exitCode, 1)
    assert.equal(told.broken.problem, 'cut_off')
  })

  test('cannot be made anew without the key', async ({ assert }) => {
    const other = Buffer.alloc(32).toString('base64url')
    const found = await verifyAudit(other)
    assert.deepEqual(found.broken, { problem: 'altered', sequence: 1 })
  })

  test('is only ever added to', async ({ assert }) => {
    const event = await AuditEvent.firstOrFail()
    await assert.rejects(
      () => event.merge({ action: 'nothing.happened' }).save(),
      /neither changed/
    )
    await assert.rejects(() => event.delete(), /neither changed/)
  })
})

test.group('Reading the audit record', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await table().delete()
    await recordSome()
  })

  async function asAdmin() {
    const admin = await UserFactory.apply('admin').create()
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(admin, { name: 'test' })
    const authorization = `Bearer ${token.value!.release()}`
    return new Visitor({ headers: { authorization } })
  }

  test('by who, what, on what and when', async ({ assert }) => {
    const visitor = await asAdmin()
    const found = async (query: string) =>
      (await visitor.get(`/api/v1/admin/audit?${query}`)).body.meta.total
    assert.equal(await found('actor=ADA'), COUNT)
    assert.equal(await found('actor=nobody'), 0)
    assert.equal(await found('action=user'), COUNT / 2)
    assert.equal(await found('action=user.changed'), COUNT / 2)
    assert.equal(await found('action=use'), 0)
    assert.equal(await found('subject=subject-3'), 1)
    assert.equal(await found('from=2020-01-01'), COUNT)
    assert.equal(await found('from=2099-01-01'), 0)
    assert.equal(await found('to=2020-01-01'), 0)
    assert.equal((await visitor.get('/api/v1/admin/audit?from=soon')).status, 422)
    assert.equal((await visitor.get("/api/v1/admin/audit?action=' or 1")).status, 422)
  })

  test('names the people whom it was done to', async ({ assert }) => {
    const audit = await app.container.make('audit')
    const grace = await UserFactory.merge({ email: 'grace@example.test' }).create()
    await audit.record({
      actor: grace,
      action: 'user.changed',
      subject: { type: 'user', id: grace.id },
    })
    const visitor = await asAdmin()
    const subjectOf = async (id: string) =>
      (await visitor.get(`/api/v1/admin/audit?subject=${id}`)).body.data[0].subject
    assert.equal((await subjectOf(grace.id)).name, 'grace@example.test')
    assert.isNull((await subjectOf('subject-3')).name)
  })

  test('as CSV, in which no cell is a formula, and which is noted itself', async ({ assert }) => {
    const audit = await app.container.make('audit')
    const actor = await UserFactory.merge({ email: null, name: '=1+"1"' }).create()
    await audit.record({ actor, action: 'user.changed' })
    const visitor = await asAdmin()
    const { status, headers, body } = await visitor.get('/api/v1/admin/audit/export?action=user')
    assert.equal(status, 200)
    assert.match(headers.get('content-type')!, /^text\/csv/)
    assert.match(headers.get('content-disposition')!, /^attachment/)
    const lines = (body as string).trim().split('\r\n')
    assert.lengthOf(lines, 1 + COUNT / 2 + 1)
    assert.include(lines[1], `"'=1+""1""",${actor.id},user.changed`)
    assert.exists(await AuditEvent.findBy('action', 'audit.exported'))
  })
})
