import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { hasCode } from '#drivers/error_code'
import type { Audit } from '#audit/audit'
import LlmProvider from '#models/llm_provider'
import { lockOwner } from '#models/owner_lock'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import type { AgentProfile, KnowledgeAccess, WakePolicy } from '#models/types'
import { resolveModel } from '#openclaw/model_references'
import type { Actor } from '#settings/actor'
import type { SettingsChanged } from '#user_settings/agent_settings_changed'
import { configOf, containerOf, DEFAULT_PROFILE } from '#user_settings/preference_rows'
import { refuseFields, type FieldError } from '#settings/field_errors'
import type { Settings } from '#settings/settings'

/** A user's choices for their agent. Models as `<provider name>/<model id>`. */
export interface Preferences {
  primaryModel: string | null
  /** Tried in this order when the previous one fails. */
  fallbackModels: string[]
  /** The text of SOUL.md. */
  personality: string | null
  /** The provider whose models may be named without a prefix. */
  providerId: string | null
  /** Minutes without a user's act until the agent sleeps. */
  idleTimeoutMin: number
  /** Policy for the idle agent. */
  wakePolicy: WakePolicy
  profile: AgentProfile
  /** The agent's access to findings, memory and tasks. */
  knowledge: KnowledgeAccess
  /** Whether the resting agent resumes ahead of the hours at which its owner usually uses it. */
  wakeEarly: boolean
  /** The model that searches findings by meaning, and the agent's own memory; null for words alone. */
  embeddingModel: string | null
}

/** Omitted values stay. Null restores the default. */
export type PreferenceChanges = {
  [Name in keyof Preferences]?: Preferences[Name] | null
}

async function forgetHours(userId: string, client: TransactionClientContract): Promise<void> {
  await UserContainer.query({ client }).where('user_id', userId).update({ days_of_use: null })
}

/** Tries an embedding model, so that nobody chooses one that makes no vectors. @throws an error with a sentence */
export interface TriedEmbeddings {
  try(userId: string, reference: string): Promise<void>
}

/** A user's choices for their agent, over `user_agent_configs` and `user_containers`. */
export class AgentPreferences {
  constructor(
    protected settings: Settings,
    protected audit: Audit,
    protected changed: SettingsChanged,
    protected embeddings: TriedEmbeddings
  ) {}

  async get(userId: string): Promise<Preferences> {
    const config = await UserAgentConfig.ownedBy(userId).first()
    const container = await UserContainer.ownedBy(userId).first()
    return {
      primaryModel: config?.primaryModel ?? null,
      fallbackModels: config?.fallbackModels ?? [],
      personality: config?.personality ?? null,
      providerId: config?.providerId ?? null,
      idleTimeoutMin:
        container?.idleTimeoutMin ?? (await this.settings.get('agents.idleTimeoutMin')),
      wakePolicy: container?.wakePolicy ?? (await this.settings.get('agents.wakePolicy')),
      profile: config?.profile ?? DEFAULT_PROFILE,
      knowledge: config?.knowledge ?? 'off',
      wakeEarly: config?.wakeEarly ?? true,
      embeddingModel: config?.embeddingModel ?? null,
    }
  }

  /**
   * Stores choices. Models must be declared by an active provider of the user; a bare model ID is looked up in
   * the default provider first, and stored with the provider's name.
   *
   * @throws E_VALIDATION_ERROR naming each field
   */
  async put(actor: Actor, changes: PreferenceChanges): Promise<Preferences> {
    const userId = actor.user.id
    await this.#models(userId, changes)
    if (changes.embeddingModel) await this.#tryEmbedding(userId, changes.embeddingModel)
    const standardMin = await this.settings.get('agents.idleTimeoutMin')
    const idleTimeoutMin = changes.idleTimeoutMin === null ? standardMin : changes.idleTimeoutMin

    await db.transaction(async (trx) => {
      /** Providers may have changed while the embedding was tried; from here on their changes wait. */
      await lockOwner(userId, trx)
      const models = await this.#models(userId, changes, trx)
      const config = await configOf(userId, trx)
      config.merge({
        ...models,
        ...(changes.personality !== undefined && { personality: changes.personality || null }),
        ...(changes.profile !== undefined && { profile: changes.profile ?? DEFAULT_PROFILE }),
        ...(changes.knowledge !== undefined && { knowledge: changes.knowledge ?? 'off' }),
        ...(changes.wakeEarly !== undefined && { wakeEarly: changes.wakeEarly ?? true }),
        ...(changes.embeddingModel !== undefined && { embeddingModel: changes.embeddingModel }),
      })
      await config.save()
      /** What was learnt is of no use any more. */
      if (!config.wakeEarly) await forgetHours(userId, trx)

      const { wakePolicy } = changes
      if (idleTimeoutMin === undefined && wakePolicy === undefined) return
      const container = await containerOf(userId, idleTimeoutMin ?? standardMin, trx)
      await container
        .merge({
          ...(idleTimeoutMin !== undefined && { idleTimeoutMin }),
          ...(wakePolicy !== undefined && { wakePolicy }),
          /** The reconciler starts agents by their desired state. */
          ...(wakePolicy === 'always_on' && { desired: 'running' as const }),
        })
        .save()
    })

    await this.audit.record({
      actor: actor.user,
      action: 'agent_config.updated',
      subject: { type: 'user', id: userId },
      details: { changed: Object.keys(changes) },
      address: actor.address,
    })
    this.changed({ userId })
    return this.get(userId)
  }

  async #tryEmbedding(userId: string, reference: string): Promise<void> {
    try {
      await this.embeddings.try(userId, reference)
    } catch (error) {
      if (!hasCode(error, 'E_EMBEDDING_FAILED')) throw error
      refuseFields([{ field: 'embeddingModel', message: error.message }])
    }
  }

  /** Returns the changed models and default provider, validated and with their providers' names. */
  async #models(userId: string, changes: PreferenceChanges, trx?: TransactionClientContract) {
    const { primaryModel, fallbackModels, embeddingModel } = changes
    const [owned, config] = [LlmProvider.ownedBy(userId), UserAgentConfig.ownedBy(userId)]
    if (trx) for (const query of [owned, config]) query.useTransaction(trx)
    const own = await owned.orderBy('created_at').orderBy('id')
    const wrong: FieldError[] = []

    let { providerId } = changes
    if (providerId && !own.some(({ id }) => id === providerId)) {
      wrong.push({ field: 'providerId', message: 'You have no such provider.' })
    }
    const defaultId =
      providerId === undefined ? ((await config.first())?.providerId ?? null) : providerId

    const usable = own.filter(({ isActive }) => isActive)
    const checked = (reference: string, field: string) => {
      const found = resolveModel(reference, usable, defaultId)
      if (found?.provider.models.some(({ id }) => id === found.modelId)) {
        return `${found.provider.name}/${found.modelId}`
      }
      const message = `None of your active providers has the model "${reference}".`
      wrong.push({ field, message })
      return reference
    }

    const primary = primaryModel ? checked(primaryModel, 'primaryModel') : primaryModel
    const fallbacks = fallbackModels?.map((model, index) =>
      checked(model, `fallbackModels.${index}`)
    )
    if (embeddingModel && !usable.some(({ name }) => embeddingModel.startsWith(`${name}/`))) {
      const message = `None of your active providers has the model "${embeddingModel}".`
      wrong.push({ field: 'embeddingModel', message })
    }
    refuseFields(wrong)
    return {
      ...(providerId !== undefined && { providerId }),
      ...(primary !== undefined && { primaryModel: primary || null }),
      ...(fallbackModels !== undefined && { fallbackModels: [...new Set(fallbacks ?? [])] }),
    }
  }
}
