import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import LlmProvider from '#models/llm_provider'
import User from '#models/user'
import { E_PROVIDERS_TOO_LARGE, E_TOO_MANY_PROVIDERS } from '#user_settings/errors'
import type { Settings } from '#settings/settings'

const KILOBYTE = 1024

/** Limits per user: the number of providers, and the total size of their model lists. */
export class ProviderQuota {
  constructor(protected settings: Pick<Settings, 'get'>) {}

  /** Reads the current limits, before the transaction that stores a provider. */
  async read(): Promise<ProviderLimits> {
    const rows = await this.settings.get('limits.providers')
    const bytes = (await this.settings.get('limits.providerKb')) * KILOBYTE
    return { rows, bytes }
  }
}

export interface ProviderLimits {
  rows: number
  /** Size of the models' JSON in UTF-8. */
  bytes: number
}

/**
 * Checks a provider about to be stored against its owner's limits. Locks the owner's row, so that concurrent
 * calls see each other's providers. Anything that does not grow passes, even beyond a lowered limit.
 *
 * @throws E_TOO_MANY_PROVIDERS, E_PROVIDERS_TOO_LARGE
 */
export async function requireRoom(
  provider: LlmProvider,
  limits: ProviderLimits,
  trx: TransactionClientContract
): Promise<void> {
  await User.query({ client: trx }).where('id', provider.userId).forUpdate().first()
  const isPostgres = trx.dialect.name === 'postgres'
  const size = isPostgres ? 'octet_length(models::text)' : 'length(cast(models as blob))'
  const others = trx.from(LlmProvider.table).where('user_id', provider.userId)
  if (provider.$isPersisted) void others.whereNot('id', provider.id)
  const { count, bytes } = await others
    .select(trx.rawQuery(`count(*) as count, coalesce(sum(${size}), 0) as bytes`))
    .first()

  if (!provider.$isPersisted && Number(count) >= limits.rows) {
    throw new E_TOO_MANY_PROVIDERS(limits.rows)
  }
  const own = sizeOf(provider.models)
  const former = provider.$isPersisted ? sizeOf(provider.$original.models) : 0
  if (own > former && Number(bytes) + own > limits.bytes) {
    throw new E_PROVIDERS_TOO_LARGE(Math.floor(limits.bytes / KILOBYTE))
  }
}

const sizeOf = (models: unknown) => Buffer.byteLength(JSON.stringify(models ?? []))
