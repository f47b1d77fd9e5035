import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { Audit } from '#audit/audit'
import type { ConnectionTest, Fetch, LlmAdapter } from '#llm/contract'
import { whileHeld } from '#llm/held_answers'
import type { LlmRegistry } from '#llm/registry'
import LlmProvider from '#models/llm_provider'
import { lockOwner } from '#models/owner_lock'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'
import { isUniqueViolation } from '#models/unique_violation'
import type { Actor } from '#settings/actor'
import type { SettingsChanged } from '#user_settings/agent_settings_changed'
import { refuseFields } from '#settings/field_errors'
import {
  providerValues,
  type ProviderChanges,
  type ProviderInput,
  type ProviderValues,
} from '#user_settings/provider_input'
import {
  E_NAME_TAKEN,
  E_PROVIDER_IN_USE,
  E_PROVIDER_RUNS_SYSTEM_AGENT,
} from '#user_settings/errors'
import { requireRoom, type ProviderQuota } from '#user_settings/provider_quota'
import {
  clearOwnUses,
  ownUsesOf,
  renameUses,
  systemAgentsOn,
} from '#user_settings/provider_references'

/** Deadline for a whole connection test, in milliseconds. */
const TEST_DEADLINE_MS = 10_000

/** The end of a key helps to tell keys apart; of a short key it would reveal too much. */
const SHORTEST_KEY_WITH_LAST4 = 12

/**
 * Users' LLM services. Every call is for one owner; other users' providers do not exist: finding, changing,
 * testing or deleting one fails with E_ROW_NOT_FOUND (404).
 */
export class ProviderDirectory {
  constructor(
    protected registry: LlmRegistry,
    /** Guarded, because it calls addresses that people entered. */
    protected fetch: Fetch,
    protected audit: Audit,
    protected changed: SettingsChanged,
    protected quota: ProviderQuota,
    protected testDeadlineMs: number = TEST_DEADLINE_MS
  ) {}

  /** Sorted by name. */
  list(ownerId: string, { page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery = {}) {
    return LlmProvider.ownedBy(ownerId).orderBy('name').paginate(page, limit)
  }

  find(ownerId: string, id: string): Promise<LlmProvider> {
    return LlmProvider.ownedBy(ownerId).where('id', id).firstOrFail()
  }

  /**
   * @throws E_UNKNOWN_PROVIDER_TYPE, E_VALIDATION_ERROR, E_NAME_TAKEN, E_TOO_MANY_PROVIDERS,
   *   E_PROVIDERS_TOO_LARGE
   */
  async create(actor: Actor, input: ProviderInput): Promise<LlmProvider> {
    const values = providerValues(this.registry.get(input.type), input, { models: true })
    const provider = new LlmProvider()
    provider.userId = actor.user.id
    provider.type = input.type
    provider.name = input.name
    provider.displayName = input.displayName || input.name
    provider.isActive = input.isActive ?? true
    await this.#apply(provider, values)
    await this.#store(provider)
    await this.#record(actor, 'provider.created', provider, { type: provider.type })
    return provider
  }

  /**
   * Changes the given values. A new name is applied to every reference to the provider's models.
   *
   * @throws E_VALIDATION_ERROR, E_NAME_TAKEN, E_PROVIDERS_TOO_LARGE
   */
  async update(actor: Actor, id: string, changes: ProviderChanges): Promise<LlmProvider> {
    const provider = await this.find(actor.user.id, id)
    const values = this.#changedValues(provider, changes, { models: true })
    provider.name = changes.name ?? provider.name
    provider.displayName = changes.displayName || provider.displayName
    provider.isActive = changes.isActive ?? provider.isActive
    await this.#apply(provider, values)
    const changed = changedColumns(provider)
    await this.#store(provider)
    await this.#record(actor, 'provider.updated', provider, { changed })
    return provider
  }

  /**
   * Deletes a provider. One in use by its owner's agent is kept, unless `clear` removes it from there; one that
   * a system agent uses is always kept.
   *
   * @throws E_PROVIDER_IN_USE
   */
  async delete(actor: Actor, id: string, { clear }: { clear: boolean }): Promise<void> {
    const deleted = await db.transaction(async (trx) => {
      await lockOwner(actor.user.id, trx)
      const owned = LlmProvider.ownedBy(actor.user.id).useTransaction(trx)
      const provider = await owned.where('id', id).firstOrFail()
      const systemAgents = await systemAgentsOn(provider, trx)
      if (systemAgents.length > 0) throw new E_PROVIDER_RUNS_SYSTEM_AGENT(systemAgents)
      const uses = await ownUsesOf(provider, trx)
      if (uses.length > 0 && !clear) throw new E_PROVIDER_IN_USE(uses)
      await clearOwnUses(provider, trx)
      await provider.useTransaction(trx).delete()
      return { provider, uses }
    })
    const { provider, uses } = deleted
    await this.#record(actor, 'provider.deleted', provider, { cleared: uses.length > 0 })
  }

  /**
   * Calls the service as entered, before anything is stored. Takes at most ten seconds; a service that does not
   * answer correctly is a result, not an error.
   *
   * @throws E_UNKNOWN_PROVIDER_TYPE, E_VALIDATION_ERROR, E_LLM_ANSWERS_FULL
   */
  async test(ownerId: string, input: Omit<ProviderInput, 'name'>): Promise<ConnectionTest> {
    const adapter = this.registry.get(input.type)
    const values = providerValues(adapter, input, { models: false })
    return this.#call(ownerId, adapter, values, values.apiKey ?? null)
  }

  /** Tests a stored provider, with unsaved changes if there are any. @throws E_VALIDATION_ERROR, E_LLM_ANSWERS_FULL */
  async testStored(
    ownerId: string,
    id: string,
    changes: ProviderChanges = {}
  ): Promise<ConnectionTest> {
    const provider = await this.find(ownerId, id)
    const values = this.#changedValues(provider, changes, { models: false })
    const apiKey = values.apiKey === undefined ? await provider.open('apiKey') : values.apiKey
    return this.#call(ownerId, this.registry.get(provider.type), values, apiKey)
  }

  #call(
    ownerId: string,
    adapter: LlmAdapter,
    values: ProviderValues,
    apiKey: string | null
  ): Promise<ConnectionTest> {
    const { apiType, models } = values
    const baseUrl = values.baseUrl ?? adapter.defaults.baseUrl ?? ''
    const signal = AbortSignal.timeout(this.testDeadlineMs)
    const connection = { baseUrl, apiKey, apiType, models }
    return whileHeld(`user/${ownerId}`, this.fetch, (fetch) =>
      adapter.testConnection(connection, { fetch, signal })
    )
  }

  #changedValues(provider: LlmProvider, changes: ProviderChanges, needs: { models: boolean }) {
    const { type, baseUrl, apiType, models, apiKey } = provider
    if (changes.type !== undefined && changes.type !== type) {
      const message = 'A provider keeps its kind. Add another one instead.'
      refuseFields([{ field: 'type', message }])
    }
    const stored = { baseUrl, apiType, models, hasKey: apiKey !== null }
    return providerValues(this.registry.get(type), changes, needs, stored)
  }

  async #apply(provider: LlmProvider, { baseUrl, apiKey, apiType, models }: ProviderValues) {
    provider.merge({ baseUrl, apiType, models })
    if (apiKey === undefined) return
    await provider.seal('apiKey', apiKey)
    const telling = apiKey !== null && apiKey.length >= SHORTEST_KEY_WITH_LAST4
    provider.apiKeyLast4 = telling ? apiKey.slice(-4) : null
    provider.apiKeyUpdatedAt = apiKey === null ? null : DateTime.utc()
  }

  async #store(provider: LlmProvider): Promise<void> {
    const formerName: string = provider.$original.name ?? provider.name
    const limits = await this.quota.read()
    try {
      await db.transaction(async (trx) => {
        await requireRoom(provider, limits, trx)
        await provider.useTransaction(trx).save()
        if (formerName !== provider.name) await renameUses(provider, formerName, trx)
      })
    } catch (error) {
      throw isUniqueViolation(error) ? new E_NAME_TAKEN() : error
    }
  }

  async #record(actor: Actor, action: string, provider: LlmProvider, details: object) {
    await this.audit.record({
      actor: actor.user,
      action,
      subject: { type: 'provider', id: provider.id },
      details: { name: provider.name, ...details },
      address: actor.address,
    })
    this.changed({ userId: provider.userId })
  }
}

/** Names only: new keys and addresses must not enter the record. */
function changedColumns(provider: LlmProvider): string[] {
  return Object.keys(provider.$dirty).filter(
    (name) => !name.startsWith('apiKey') || name === 'apiKey'
  )
}
