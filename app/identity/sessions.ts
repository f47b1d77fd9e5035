import { createHash } from 'node:crypto'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { DatabaseQueryBuilderContract } from '@adonisjs/lucid/types/querybuilder'
import { MessageBuilder } from '@adonisjs/core/helpers'
import encryption from '@adonisjs/core/services/encryption'
import type { HttpContext } from '@adonisjs/core/http'
import { cut } from '#text/cut'
import type User from '#models/user'
import type { Audit } from '#audit/audit'
import type { Settings } from '#settings/settings'
import type { Identity } from '#identity/services/contract'
import { endOldestSessions } from '#identity/session_quota'
import { E_BROWSER_ONLY, E_NOT_FOUND } from '#identity/errors'

/** How a session began: with one of two kinds of password, or through the service of this name. */
export type SignInMethod = 'breakglass' | 'password' | (string & {})

/** Facts stored in a session. Times in milliseconds since the epoch. */
export interface SessionFacts {
  method: SignInMethod
  startedAt: number
  lastUsedAt: number
  /** When its user last confirmed their identity. */
  confirmedAt: number
  /** The browser's user agent. */
  agent: string | null
  address: string
}

/** A session in its user's list. */
export interface ListedSession extends SessionFacts {
  id: string
  isCurrent: boolean
}

type Query = DatabaseQueryBuilderContract<any>

interface FoundSession {
  id: string
  facts: SessionFacts
}

const FACTS = 'facts'
const ID_TOKEN = 'oidc_id_token'

const HOUR_MS = 3_600_000
/** "Last used" has a resolution of one minute. */
const LAST_USED_STEP_MS = 60_000
/** How long a confirmation of identity counts for sensitive actions. */
const CONFIRMED_MS = 15 * 60_000
const MAX_AGENT = 256

/** Browser sessions: rows that name their user, so that each can be listed and ended. */
export class Sessions {
  constructor(
    protected audit: Audit,
    protected settings: Settings,
    protected now: () => number = Date.now
  ) {}

  /** Signs the browser in under a new session ID. `provider` is set for a sign-in through a service. */
  async start(
    ctx: HttpContext,
    user: User,
    method: SignInMethod,
    provider?: Pick<Identity, 'idToken' | 'signedInAt'>
  ): Promise<void> {
    requireSession(ctx)
    await ctx.auth.use('web').login(user)
    const facts = this.#newFacts(ctx, method)
    // If the provider asked for nothing because its own session continues, the proof is as old as that session.
    const confirmedAt = Math.min(facts.confirmedAt, provider?.signedInAt ?? facts.confirmedAt)
    this.#setFacts(ctx, { ...facts, confirmedAt })
    const idToken = provider?.idToken
    ctx.session.put(ID_TOKEN, idToken ? encryption.encrypt(idToken) : '')
    await ctx.session.tag(user.id)
    const most = await this.settings.get('limits.sessions')
    await endOldestSessions(user.id, ctx.session.sessionId, most)

    user.lastSignInAt = DateTime.fromMillis(this.now(), { zone: 'utc' })
    await user.save()
    await this.audit.record({
      actor: user,
      action: 'session.started',
      details: { method },
      address: ctx.request.ip(),
    })
  }

  /**
   * Records a use of the session. Returns false once the session exceeds the idle time or lifetime in the
   * settings: it has ended.
   */
  async use(ctx: HttpContext): Promise<boolean> {
    const facts = this.#facts(ctx)
    const now = this.now()
    if (!(await this.#lasts())(facts)) return false
    if (now - facts.lastUsedAt > LAST_USED_STEP_MS) {
      this.#setFacts(ctx, { ...facts, lastUsedAt: now, address: ctx.request.ip() })
    }
    return true
  }

  /** Returns those of the session IDs whose sessions go on: neither ended nor beyond the idle time or lifetime. */
  async lasting(ids: string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set()
    const lasts = await this.#lasts()
    const found = await this.#rowsWhere((query) => query.whereIn('id', ids))
    return new Set(found.filter(({ facts }) => lasts(facts)).map(({ id }) => id))
  }

  /** Returns whether a session is within the idle time and lifetime in the settings. */
  async #lasts(): Promise<(facts: SessionFacts) => boolean> {
    const now = this.now()
    const idleMs = (await this.settings.get('sessions.idleHours')) * HOUR_MS
    const lifetimeMs = (await this.settings.get('sessions.lifetimeHours')) * HOUR_MS
    return ({ lastUsedAt, startedAt }) =>
      now - lastUsedAt <= idleMs && now - startedAt <= lifetimeMs
  }

  /** Records that its user has just confirmed their identity. */
  async confirm(ctx: HttpContext): Promise<void> {
    requireSession(ctx)
    this.#setFacts(ctx, { ...this.#facts(ctx), confirmedAt: this.now() })
    const address = ctx.request.ip()
    await this.audit.record({ actor: ctx.auth.user, action: 'session.confirmed', address })
  }

  /** Returns whether its user confirmed their identity recently. */
  isConfirmed(ctx: HttpContext): boolean {
    const age = this.now() - this.#facts(ctx).confirmedAt
    /** A proof from the future dates from before the clock was set back. */
    return age >= 0 && age < CONFIRMED_MS
  }

  /**
   * Signs the browser out and clears the session. No-op for a request with a token. Returns the provider's
   * id_token if the session began there.
   */
  async end(ctx: HttpContext): Promise<string | null> {
    if (ctx.auth.authenticatedViaGuard === 'api') return null
    const { user } = ctx.auth
    const idToken = encryption.decrypt<string>(ctx.session.get(ID_TOKEN, ''))
    await ctx.auth.use('web').logout()
    ctx.session.clear()
    ctx.session.regenerate()
    if (!user) return null
    const address = ctx.request.ip()
    await this.audit.record({ actor: user, action: 'session.ended', address })
    return idToken
  }

  /** Lists the user's active sessions, most recently used first. */
  async list(user: User, currentId: string | null): Promise<ListedSession[]> {
    const rows = await this.#rowsOf(user.id)
    return rows
      .map(({ id, facts }) => ({ ...facts, id: publicId(id), isCurrent: id === currentId }))
      .sort((one, other) => other.lastUsedAt - one.lastUsedAt)
  }

  /** @throws E_NOT_FOUND if the user has no such session */
  async revoke(user: User, id: string, address: string): Promise<void> {
    const rows = await this.#rowsOf(user.id)
    const found = rows.find((row) => publicId(row.id) === id)
    if (!found) throw new E_NOT_FOUND()
    await db.from('sessions').where('id', found.id).delete()
    await this.audit.record({ actor: user, action: 'session.revoked', details: { id }, address })
  }

  /** Ends all the user's sessions except this one. Returns how many there were. */
  async revokeOthers(user: User, currentId: string | null, address: string): Promise<number> {
    const query = db.from('sessions').where('user_id', user.id)
    if (currentId) void query.whereNot('id', currentId)
    const ended = Number([await query.delete()].flat()[0])
    const details = { count: ended }
    await this.audit.record({ actor: user, action: 'session.others_revoked', details, address })
    return ended
  }

  /** Ends all sessions of a user. Returns how many there were. */
  async endAllOf(userId: string): Promise<number> {
    const ended = await db.from('sessions').where('user_id', userId).delete()
    return Number([ended].flat()[0])
  }

  /** Returns how the request is signed in: its session's method, or an access token. */
  methodOf(ctx: HttpContext): SignInMethod {
    if (ctx.auth.authenticatedViaGuard === 'api') return 'token'
    return this.#facts(ctx).method
  }

  #rowsOf(userId: string): Promise<FoundSession[]> {
    return this.#rowsWhere((query) => query.where('user_id', userId))
  }

  /** Each row's data is signed with its ID, as the framework's store writes it. */
  async #rowsWhere(narrow: (query: Query) => Query): Promise<FoundSession[]> {
    const rows: { id: string; data: string; expires_at: string | number | Date }[] = await narrow(
      db.from('sessions')
    )
    return rows.flatMap(({ id, data, expires_at: expiresAt }) => {
      const values = new MessageBuilder().verify<Record<string, unknown>>(data, id)
      const facts = values?.[FACTS] as SessionFacts | undefined
      return facts && new Date(expiresAt).getTime() > this.now() ? [{ id, facts }] : []
    })
  }

  /** A session from an earlier version has no facts: it starts now and proves nothing. */
  #facts(ctx: HttpContext): SessionFacts {
    const facts = ctx.session.get(FACTS) as SessionFacts | undefined
    if (facts) return facts
    const made = { ...this.#newFacts(ctx, 'breakglass'), confirmedAt: 0 }
    this.#setFacts(ctx, made)
    return made
  }

  #newFacts({ request }: HttpContext, method: SignInMethod): SessionFacts {
    const now = this.now()
    const agent = cut(request.header('user-agent') ?? '', MAX_AGENT) || null
    return {
      method,
      startedAt: now,
      lastUsedAt: now,
      confirmedAt: now,
      agent,
      address: request.ip(),
    }
  }

  #setFacts({ session }: HttpContext, facts: SessionFacts): void {
    session.put(FACTS, facts)
  }
}

/**
 * Refuses requests with an access token: they have no session.
 *
 * @throws E_BROWSER_ONLY
 */
export function requireSession({ session }: HttpContext): void {
  if (!session) throw new E_BROWSER_ONLY()
}

/** The cookie proves a session by its ID, so lists show a hash of it instead. */
const publicId = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 32)
