import { hash } from 'node:crypto'
import { type DateTime } from 'luxon'
import { Secret } from '@adonisjs/core/helpers'
import type { AccessToken } from '@adonisjs/auth/access_tokens'
import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import { E_NOT_FOUND, E_TOKEN_ABILITY, E_TOO_MANY_TOKENS } from '#identity/errors'

/** Cache lifetime: how long a deleted token or a deactivated user may still pass on another replica. */
const CACHE_TTL_MS = 5000

/** Cache size: enough for every client of a large installation. Beyond it the oldest entries go. */
const CACHE_SIZE = 10_000

/** Uses of a token. `chat`: its owner's agent; `read`: read access; `manage`: changes. */
export const TOKEN_ABILITIES = ['chat', 'read', 'manage'] as const
export type TokenAbility = (typeof TOKEN_ABILITIES)[number]

/**
 * Marks a token whose clients send their user's account as `user`, so that it names no conversation. Stored among
 * the abilities, because the package's tokens have no other place for it.
 */
const USER_IS_ACCOUNT = 'user:account'

/** A valid token's owner, and how its clients use OpenAI's API. */
export interface TokenHolder {
  userId: string
  /** Whether `user` in a request names a conversation. */
  userNamesConversation: boolean
}

interface Verified {
  holder: TokenHolder
  tokenId: string
  abilities: string[]
  until: number
}

export interface NewToken {
  name: string
  /** Default: all of them. */
  abilities?: TokenAbility[]
  /** Null or omitted: never expires. */
  expiresAt?: DateTime | null
  /** Whether `user` in a request of OpenAI's API names a conversation. Default: it does. */
  userNamesConversation?: boolean
}

/**
 * Users' access tokens, with a check that costs no query while cached. The cache holds hashes, never tokens.
 */
export class AccessTokens {
  readonly #verified = new Map<string, Verified>()

  constructor(
    protected now: () => number = Date.now,
    /** Limit of tokens per user. */
    protected most: () => Promise<number> = async () => Infinity
  ) {}

  /**
   * Returns the token's owner, or null if the token is unknown or expired or its owner is deactivated.
   *
   * @throws E_TOKEN_ABILITY for a valid token without the required ability
   */
  async verify(token: string, ability: TokenAbility = 'chat'): Promise<string | null> {
    return (await this.identify(token, ability))?.userId ?? null
  }

  /** Returns the token's holder, like `verify`, and without a promise while it is cached. */
  identify(
    token: string,
    ability: TokenAbility = 'chat'
  ): TokenHolder | Promise<TokenHolder | null> {
    const key = hash('sha256', token, 'base64')
    const known = this.#cached(key)
    if (known) return holderWith(known, ability)
    return this.#find(token, key).then((found) => found && holderWith(found, ability))
  }

  #cached(key: string): Verified | null {
    const known = this.#verified.get(key)
    if (known && this.#isFresh(known)) return known
    this.#verified.delete(key)
    return null
  }

  async #find(token: string, key: string): Promise<Verified | null> {
    const found = await User.accessTokens.verify(new Secret(token))
    if (!found) return null
    const userId = String(found.tokenableId)
    const owner = await User.find(userId)
    if (!owner || owner.deactivatedAt) return null

    const { abilities } = found
    const verified = {
      holder: { userId, userNamesConversation: userNamesConversation(abilities) },
      tokenId: String(found.identifier),
      abilities,
      until: this.#cacheUntil(found),
    }
    this.#remember(key, verified)
    return verified
  }

  /** Lists a user's tokens, without their values. */
  list(user: User): Promise<AccessToken[]> {
    return User.accessTokens.all(user)
  }

  /**
   * Creates a token. Its `value` is readable only in this result.
   *
   * @throws E_TOO_MANY_TOKENS
   */
  async create(user: User, input: NewToken): Promise<AccessToken> {
    const { name, abilities, expiresAt } = input
    /** At least one second: zero would mean a token that never expires. */
    const leftSec = (end: DateTime) => Math.max(1, Math.ceil((end.toMillis() - this.now()) / 1000))
    const expiresIn = expiresAt ? leftSec(expiresAt) : undefined
    const allowed: string[] = [...(abilities ?? TOKEN_ABILITIES)]
    if (input.userNamesConversation === false) allowed.push(USER_IS_ACCOUNT)
    const token = await User.accessTokens.create(user, allowed, { name, expiresIn })
    await this.#keepWithinLimit(user, token)
    return token
  }

  /** Counts after storing the new token, so that concurrent calls cannot all slip under the limit. */
  async #keepWithinLimit(user: User, made: AccessToken): Promise<void> {
    const most = await this.most()
    if ((await this.#count(user)) <= most) return
    await this.#rowsOf(user).where('expires_at', '<', new Date(this.now())).delete()
    if ((await this.#count(user)) <= most) return
    await User.accessTokens.delete(user, made.identifier)
    throw new E_TOO_MANY_TOKENS(most)
  }

  async #count(user: User): Promise<number> {
    const row = await this.#rowsOf(user).count('* as total').first()
    return Number(row.total)
  }

  #rowsOf(user: User) {
    return db.from('auth_access_tokens').where('tokenable_id', user.id)
  }

  /** @throws E_NOT_FOUND if the user has no such token */
  async delete(user: User, id: string): Promise<void> {
    const deleted = /^\d{1,9}$/.test(id) ? await User.accessTokens.delete(user, id) : 0
    if (deleted === 0) throw new E_NOT_FOUND()
    this.#forget((entry) => entry.tokenId === id)
  }

  /** Revokes every token of a user. Returns how many there were. */
  async deleteAllOf(user: User): Promise<number> {
    const deleted = await User.accessTokens.deleteAll(user)
    this.#forget(({ holder }) => holder.userId === user.id)
    return Number([deleted].flat()[0])
  }

  /** False for entries that expire later than the TTL allows: they date from before the clock was set back. */
  #isFresh({ until }: Verified): boolean {
    const leftMs = until - this.now()
    return leftMs > 0 && leftMs <= CACHE_TTL_MS
  }

  #cacheUntil(token: AccessToken): number {
    const until = this.now() + CACHE_TTL_MS
    return token.expiresAt ? Math.min(until, token.expiresAt.getTime()) : until
  }

  #remember(key: string, entry: Verified): void {
    if (this.#verified.size >= CACHE_SIZE) {
      this.#verified.delete(this.#verified.keys().next().value!)
    }
    this.#verified.set(key, entry)
  }

  #forget(matches: (entry: Verified) => boolean): void {
    for (const [key, entry] of this.#verified) if (matches(entry)) this.#verified.delete(key)
  }
}

function holderWith({ holder, abilities }: Verified, ability: TokenAbility): TokenHolder {
  if (!allows(abilities, ability)) throw new E_TOKEN_ABILITY(ability)
  return holder
}

/** Tokens of earlier versions have `*`, which allows everything. */
export function allows(abilities: string[], ability: TokenAbility): boolean {
  return abilities.includes(ability) || abilities.includes('*')
}

/** Returns whether `user` in a request names a conversation for the clients of a token. */
export function userNamesConversation(abilities: string[]): boolean {
  return !abilities.includes(USER_IS_ACCOUNT)
}

/** Returns the real abilities, without marks. */
export function abilitiesOf(stored: string[]): string[] {
  return stored.filter((ability) => ability !== USER_IS_ACCOUNT)
}
