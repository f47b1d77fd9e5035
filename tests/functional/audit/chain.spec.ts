import { generateKeySync, type KeyObject } from 'node:crypto'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { ANCHORED } from '#audit/anchors'
import { Audit } from '#audit/audit'
import { AuditChain } from '#audit/audit_chain'
import { auditKeys, legacyAuditKey } from '#audit/audit_keys'
import { hashOf, BEGINNING } from '#audit/chain'
import { upgradeAudit } from '#audit/upgrade'
import { verifyAudit } from '#audit/verification'
import AuditVerify from '#commands/audit_verify'
import AuditEvent from '#models/audit_event'
import settings from '#settings/services/main'
import { secrets } from '#start/env'
import SystemConfig from '#models/system_config'
import { SecretKey } from '#vaults/secret_keys'
import { UserFactory } from '#database/factories/user_factory'
import { adminByToken } from '#tests/admin_session'
import { TestClock, until } from '#tests/doubles/test_clock'

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

const verify = async (expected?: string) =>
  (await app.container.make('audit.chain')).verify(expected)

/** Reseals the whole record, in its current state, from the first event on. */
async function sealAgain(key: KeyObject) {
  let previous = BEGINNING
  for (const event of await AuditEvent.query().whereNotNull('sequence').orderBy('sequence')) {
    previous = hashOf(event, previous, key)
    await table().where('id', event.id).update({ hash: previous })
  }
}

/** Opens the chain with only these keys, as after a change of `MOSAIC_SECRET_KEY`. */
function chainOf(...keys: [SecretKey, ...SecretKey[]]) {
  const known = auditKeys(keys)
  return new AuditChain(known, () => legacyAuditKey(settings), new Audit(known[0]))
}

const OLD = new SecretKey('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')
const NEW = new SecretKey('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')
const OF_ATTACKER = someKey()

function someKey(): KeyObject {
  return generateKeySync('hmac', { length: 256 })
}

/** Forges a row as an attacker would: a copy of another, with a different id and sequence. */
async function plant(sequence: unknown) {
  const { ...row } = await table().where('sequence', 5).firstOrFail()
  await db.table('audit_events').insert({ ...row, id: `planted-${String(sequence)}`, sequence })
}

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

  test('goes on after one that the database does not answer for', async ({ assert, cleanup }) => {
    const clock = new TestClock()
    const [key] = auditKeys(secrets.keys)
    const audit = new Audit(key, undefined, undefined, clock)
    const query = AuditEvent.query
    cleanup(() => void (AuditEvent.query = query))
    let asked = 0
    AuditEvent.query = (() => {
      asked++
      AuditEvent.query = query
      const hanging = { whereNotNull: () => hanging, orderBy: () => hanging, first }
      return hanging
    }) as never
    const first = () => new Promise(() => {})

    void audit.record({ action: 'test.hangs' })
    let isRecorded = false
    const next = audit.record({ action: 'test.goes_on' }).then(() => (isRecorded = true))
    await until(() => asked === 1)
    assert.isFalse(isRecorded)
    clock.advance(10_000)
    await until(() => isRecorded)
    await next
    assert.exists(await AuditEvent.findBy('action', 'test.goes_on'))
  })

  test('holds after events that came at the same time', async ({ assert }) => {
    const found = await verify()
    assert.containsSubset(found, { verified: COUNT, unsealed: 0, outside: 0, broken: null })
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

  for (const sequence of [null, 0, -1]) {
    test(`finds an event with the sequence ${sequence}, and shows it as not verified`, async ({
      assert,
    }) => {
      await plant(sequence)
      const { exitCode, told } = await runCommand()
      assert.equal(exitCode, 1)
      assert.deepEqual(told.broken, { problem: 'outside', sequence: null })
      assert.equal(told.outside, 1)
      assert.equal(told.verified, COUNT)

      const reader = await app.container.make('audit.reader')
      const listed = (await reader.list({ limit: 100 })).all()
      const unverified = listed.filter(({ $extras }) => !$extras.isVerified)
      assert.deepEqual(
        unverified.map(({ id }) => id),
        [`planted-${sequence}`]
      )
      assert.lengthOf(listed, COUNT + 1)
    })
  }

  test('finds what is no whole number, where the database keeps one', async ({ assert }) => {
    if (db.connection().dialect.name === 'postgres') return
    for (const sequence of [5.5, 'later']) {
      await plant(sequence)
      assert.deepEqual((await verify()).broken, { problem: 'outside', sequence: null })
      await table().where('id', `planted-${sequence}`).delete()
    }
  })

  test('finds two events in one place, where the database lets them in', async ({ assert }) => {
    await db.rawQuery(
      db.connection().dialect.name === 'postgres'
        ? 'alter table audit_events drop constraint audit_events_sequence_unique'
        : 'drop index audit_events_sequence_unique'
    )
    await plant(COUNT)
    const { broken } = await verify()
    assert.oneOf(broken?.problem, ['outside', 'altered'])
  })

  test('tells what is unreadable, and goes on', async ({ assert }) => {
    if (db.connection().dialect.name === 'postgres') return
    await table().where('sequence', 4).update({ details: '{' })
    assert.deepEqual((await verify()).broken, { problem: 'altered', sequence: 4 })
  })

  test('cannot be made again without a key of MOSAIC_SECRET_KEY', async ({ assert }) => {
    await table().where('sequence', 3).update({ actor_name: 'somebody else' })
    await sealAgain(OF_ATTACKER)
    assert.deepEqual((await verify()).broken, { problem: 'altered', sequence: 1 })
    const [key] = auditKeys([OLD])
    assert.deepEqual((await verifyAudit([key])).broken, { problem: 'altered', sequence: 1 })
  })

  test('takes no key from the database, in plain text or marked as plain', async ({ assert }) => {
    await table().where('sequence', 3).update({ actor_name: 'somebody else' })
    await sealAgain(OF_ATTACKER)
    const value = JSON.stringify(OF_ATTACKER.export().toString('base64url'))
    for (const encrypted of [false, true]) {
      await SystemConfig.query().where('key', 'audit.key').delete()
      await SystemConfig.create({ key: 'audit.key', value, encrypted })
      const chain = chainOf(...secrets.keys)
      assert.deepEqual((await chain.verify()).broken, { problem: 'altered', sequence: 1 })
      assert.equal(await upgradeAudit(chain), 'broken')
      assert.isNull(await AuditEvent.findBy('action', ANCHORED))
    }
  })

  test('of an earlier version is verified with its key, which the next boot forgets', async ({
    assert,
  }) => {
    const legacy = someKey()
    await settings.set('audit.key', legacy.export().toString('base64url'))
    await sealAgain(legacy)
    await plant(null)
    const chain = chainOf(...secrets.keys)
    assert.equal(await upgradeAudit(chain), 'anchored')
    assert.equal(await upgradeAudit(chain), 'finished')
    assert.equal(await upgradeAudit(chain), 'not needed')
    assert.isNull(await SystemConfig.findBy('key', 'audit.key'))
    await settings.set('audit.key', null)

    const found = await chain.verify()
    assert.containsSubset(found, { verified: COUNT + 1, unsealed: 1, outside: 0, broken: null })
    await plant(-7)
    assert.equal((await chain.verify()).broken?.problem, 'outside')
    await table().where('id', 'planted--7').delete()
    await table().where('id', 'planted-null').update({ action: 'other.act' })
    assert.equal((await chain.verify()).broken?.problem, 'outside')
    await table().where('id', 'planted-null').delete()
    await table().where('sequence', 2).update({ actor_name: 'x' })
    assert.equal((await chain.verify()).broken?.problem, 'altered')
  })

  test('outlives the key that sealed it, once it is anchored with the next', async ({ assert }) => {
    await sealAgain(auditKeys([OLD])[0])
    assert.isFalse((await chainOf(NEW, OLD).verify()).isAnchored)
    assert.equal((await chainOf(NEW).verify()).broken?.problem, 'altered')

    const both = chainOf(NEW, OLD)
    assert.isNull((await both.anchor()).broken)
    await both.anchor()
    const anchors = await AuditEvent.query().where('action', ANCHORED)
    assert.lengthOf(anchors, 1, 'one is enough')
    assert.containsSubset(await chainOf(NEW).verify(), {
      verified: COUNT + 1,
      broken: null,
      isAnchored: true,
    })
    await table().where('sequence', 6).update({ address: '203.0.113.7' })
    assert.equal((await chainOf(NEW).verify()).broken?.problem, 'altered')
    assert.deepEqual((await both.verify()).broken, { problem: 'altered', sequence: 6 })
  })

  test('is anchored by nobody without a key, and not while it is broken', async ({ assert }) => {
    await sealAgain(auditKeys([OLD])[0])
    await chainOf(NEW, OLD).anchor()
    await table().where('sequence', 6).update({ address: '203.0.113.7' })
    await sealAgain(OF_ATTACKER)
    assert.isNotNull((await chainOf(NEW).verify()).broken)
    assert.isNotNull((await chainOf(NEW, OLD).anchor()).broken)
    assert.lengthOf(await AuditEvent.query().where('action', ANCHORED), 1)
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

  test('by who, what, on what and when', async ({ assert }) => {
    const { visitor } = await adminByToken()
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
    const { visitor } = await adminByToken()
    const subjectOf = async (id: string) =>
      (await visitor.get(`/api/v1/admin/audit?subject=${id}`)).body.data[0].subject
    assert.equal((await subjectOf(grace.id)).name, 'grace@example.test')
    assert.isNull((await subjectOf('subject-3')).name)
  })

  test('as CSV, in which no cell is a formula, and which is noted itself', async ({ assert }) => {
    const audit = await app.container.make('audit')
    const actor = await UserFactory.merge({ email: null, name: '=1+"1"' }).create()
    await audit.record({ actor, action: 'user.changed' })
    const { visitor } = await adminByToken()
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
