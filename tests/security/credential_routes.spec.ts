import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import router from '@adonisjs/core/services/router'
import type { RouteJSON } from '@adonisjs/core/types/http'
import type User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'
import { proofFor } from '#identity/permissions'
import { DEFINITIONS } from '#settings/definitions'
import settings from '#settings/services/main'
import { ADMIN_ACCOUNT, adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

/** Columns that decide who may sign in, and with which rights. */
const CREDENTIALS: Record<string, string[]> = {
  users: [
    'email',
    'role',
    'oidc_issuer',
    'oidc_subject',
    'password_hash',
    'invitation_token_hash',
    'invitation_expires_at',
    'deactivated_at',
  ],
  breakglass_users: ['username', 'password_hash', 'is_active', 'user_id'],
  sign_in_services: ['client_id', 'client_secret', 'address', 'sign_up', 'is_proof', 'is_active'],
  auth_access_tokens: ['tokenable_id', 'abilities', 'expires_at'],
}

/** Settings that decide who may sign in, for how long, or where invitations go. */
const SIGN_IN_SETTINGS = /^(oidc|sessions|mail)\.|^network\.publicUrl$/

/** Access rules of routes that prove the caller by their body or an earlier step. */
const OWN_PROOF = ['anyone', 'onboarding']

interface Schema {
  type?: string | string[]
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  minimum?: number
}

/** Returns a value for a field, by its name where its schema is not specific enough. */
function fitting(name: string, schema: Schema): unknown {
  const named: Record<string, unknown> = {
    email: `${name}-${Math.random().toString(36).slice(2)}@example.test`,
    expiresAt: DateTime.utc().plus({ years: 1 }).toISO(),
    role: 'admin',
    models: [],
  }
  if (name in named) return named[name]
  if (schema.anyOf) return fitting(name, schema.anyOf[0])
  if (schema.enum) return schema.enum.at(-1)
  const [type] = [schema.type ?? 'string'].flat()
  if (type === 'object') return body(schema)
  if (type === 'array') return [fitting(name, schema.items ?? {})]
  if (type === 'number' || type === 'integer') return schema.minimum ?? 1
  if (type === 'boolean') return true
  return 'canary-text'
}

/** Builds a body without limits, which would block the attempts themselves. */
function body({ properties = {} }: Schema): Record<string, unknown> {
  const fields = Object.entries(properties).filter(([name]) => !name.startsWith('limits.'))
  return Object.fromEntries(fields.map(([name, schema]) => [name, fitting(name, schema)]))
}

/** Returns bodies with all fields at once, and with the required ones plus each other field alone. */
function bodies(schema: Schema): Record<string, unknown>[] {
  const all = body(schema)
  const required = (schema.required ?? []).map((name) => [name, all[name]] as const)
  const single = Object.entries(all).map((entry) => Object.fromEntries([...required, entry]))
  return [all, Object.fromEntries(required), ...single]
}

/** Returns all credentials by row. Removed ones do not count, because nobody can sign in with them. */
async function credentials(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const [table, columns] of Object.entries(CREDENTIALS)) {
    for (const row of await db.from(table)) {
      found.set(`${table} ${row.id}`, JSON.stringify(columns.map((column) => row[column])))
    }
  }
  for (const { id, user_id: owner } of await db.from('sessions').whereNotNull('user_id')) {
    found.set(`sessions ${id}`, owner)
  }
  for (const { key, value } of await db.from('system_configs')) {
    if (SIGN_IN_SETTINGS.test(key)) found.set(key, JSON.stringify(value))
  }
  return found
}

/** Returns the credentials that are new or changed. */
const changes = (before: Map<string, string>, after: Map<string, string>) =>
  [...after].filter(([name, row]) => before.get(name) !== row).map(([name]) => name)

interface People {
  user: User
  invited: User
  deactivated: User
}

async function people(): Promise<People> {
  const user = await UserFactory.create()
  const deactivated = await UserFactory.merge({ deactivatedAt: DateTime.utc() }).create()
  const invitations = await app.container.make('identity.invitations')
  const by = { user: await UserFactory.apply('admin').create(), address: null }
  const email = `${by.user.id}@example.test`
  const sent = await invitations.invite({ email, role: 'member' }, by)
  return { user, invited: sent.user, deactivated }
}

const writing = () =>
  Object.values(router.toJSON())
    .flat()
    .filter(({ meta, pattern }) => !OWN_PROOF.includes(meta.access) && pattern.startsWith('/api/'))
    .flatMap((route) =>
      route.methods
        .filter((method) => !['GET', 'HEAD'].includes(method))
        .map((method) => ({ method, route }))
    )

const nameOf = (method: string, { pattern }: RouteJSON) => `${method} ${pattern}`

/** Whether the route's permission requires a session with a fresh proof. */
const isMarked = ({ meta: { permission } }: RouteJSON) =>
  permission !== undefined && proofFor(permission) === 'freshSession'

/** The setting's key decides whether a fresh proof is needed. */
const SETTINGS = 'PATCH /api/v1/admin/settings'

test.group('Routes that make or raise credentials', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(asBefore)

  /** Restores the settings, which the attempts themselves change. */
  async function asBefore() {
    const changed = (await settings.list()).filter(({ source }) => source === 'database')
    for (const { key } of changed) await settings.patch({ [key]: null })
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    await settings.set('limits.requestsPerMinute', 1_000_000)
  }

  /** Returns the routes after which somebody gains access or rights they did not have. */
  async function raising(visitorOf: () => Promise<Visitor>): Promise<string[]> {
    const found: string[] = []
    for (const { method, route } of writing()) {
      const visitor = await visitorOf()
      const { user, invited, deactivated } = await people()
      const before = await credentials()
      const schema = (route.meta.body?.toJSONSchema() ?? {}) as Schema
      const ids = route.pattern.includes(':') ? [user.id, invited.id, deactivated.id] : ['']
      for (const id of ids) {
        const path = route.pattern.replace(/:\w+\??/, id)
        for (const sent of bodies(schema)) await visitor.send(method, path, sent)
      }
      if (changes(before, await credentials()).length > 0) found.push(nameOf(method, route))
      await asBefore()
    }
    return found
  }

  test('are marked in the table of permissions', async ({ assert }) => {
    const { visitor } = await adminSession()
    const signedIn = async () => {
      const { status } = await visitor.get('/api/v1/me')
      if (status === 401) await visitor.post('/api/v1/session', ADMIN_ACCOUNT)
      return visitor
    }
    const found = await raising(signedIn)
    const marked = writing().filter(({ route }) => isMarked(route))
    const names = marked.map(({ method, route }) => nameOf(method, route))
    assert.includeMembers(found, [
      SETTINGS,
      'POST /api/v1/tokens',
      'POST /api/v1/admin/users/invite',
      'PATCH /api/v1/admin/users/:id',
      'POST /api/v1/admin/users/:id/deactivate',
      'POST /api/v1/admin/users/:id/reactivate',
      'POST /api/v1/admin/users/:id/invitation',
    ])
    assert.includeMembers([...names, SETTINGS], found)
    assert.includeMembers(names, [
      'PUT /api/v1/admin/auth/oidc',
      'PUT /api/v1/admin/auth/services/:name',
      'DELETE /api/v1/admin/users/:id/invitation',
    ])
  }).timeout(120_000)

  test('do so for no access token of an admin, whatever its abilities', async ({ assert }) => {
    const tokens = await app.container.make('identity.tokens')
    const admin = await UserFactory.apply('admin').create()
    const expiresAt = DateTime.utc().plus({ minutes: 5 })
    const token = await tokens.create(admin, { name: 'leaked', expiresAt })
    const authorization = `Bearer ${token.value!.release()}`
    const visitor = new Visitor({ headers: { authorization } })
    assert.deepEqual(await raising(async () => visitor), [])
  }).timeout(120_000)

  test('are no way around for settings: each that decides who comes in is marked', ({ assert }) => {
    const marked = Object.entries<{ changedBy?: string }>(DEFINITIONS)
      .filter(([, { changedBy }]) => changedBy === 'provenAdmin')
      .map(([key]) => key)
    const deciding = Object.entries<{ internal?: true }>(DEFINITIONS)
      .filter(([key, { internal }]) => SIGN_IN_SETTINGS.test(key) && !internal)
      .map(([key]) => key)
    assert.isAbove(deciding.length, 15)
    assert.sameMembers(marked, deciding)
  })
})
