import db from '@adonisjs/lucid/services/db'
import type { Audit } from '#audit/audit'
import User from '#models/user'
import UserAgentConfig from '#models/user_agent_config'
import type { Actor } from '#settings/actor'
import { configOf, DEFAULT_ARCHIVE_DAYS } from '#user_settings/preference_rows'

/** Whether conversations are archived, and for how many days. */
export interface ArchiveRule {
  enabled: boolean
  days: number
}

/** Owners' archive settings. Off until the owner opts in; opting out keeps existing messages. */
export class ArchiveSettings {
  constructor(protected audit: Audit) {}

  async get(userId: string): Promise<ArchiveRule> {
    const config = await UserAgentConfig.ownedBy(userId).first()
    return {
      enabled: config?.archiveEnabled ?? false,
      days: config?.archiveDays ?? DEFAULT_ARCHIVE_DAYS,
    }
  }

  /** Omitted fields stay unchanged. */
  async put(actor: Actor, changes: Partial<ArchiveRule>): Promise<ArchiveRule> {
    const userId = actor.user.id
    await db.transaction(async (trx) => {
      const config = await configOf(userId, trx)
      const { enabled = config.archiveEnabled, days = config.archiveDays } = changes
      await config.merge({ archiveEnabled: enabled, archiveDays: days }).save()
    })
    await this.audit.record({
      actor: actor.user,
      action: 'archive.updated',
      subject: { type: 'user', id: userId },
      details: { ...changes },
      address: actor.address,
    })
    return this.get(userId)
  }

  /** Returns the ids of all active users with an archive. */
  async keepers(): Promise<string[]> {
    const rows = await UserAgentConfig.query()
      .where('archive_enabled', true)
      .whereIn('user_id', User.query().select('id').whereNull('deactivated_at'))
      .select('user_id')
    return rows.map(({ userId }) => userId)
  }
}
