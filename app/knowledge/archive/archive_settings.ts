import db from '@adonisjs/lucid/services/db'
import type { Audit } from '#audit/audit'
import UserAgentConfig from '#models/user_agent_config'
import type { Actor } from '#settings/actor'
import { configOf, DEFAULT_ARCHIVE_DAYS } from '#user_settings/preference_rows'

/** Whether conversations are kept, and for how many days. */
export interface ArchiveRule {
  enabled: boolean
  days: number
}

/** An owner's choice. Nothing is kept until they turn it on; turning it off keeps what is there. */
export class ArchiveSettings {
  constructor(protected audit: Audit) {}

  async get(userId: string): Promise<ArchiveRule> {
    const config = await UserAgentConfig.ownedBy(userId).first()
    return {
      enabled: config?.archiveEnabled ?? false,
      days: config?.archiveDays ?? DEFAULT_ARCHIVE_DAYS,
    }
  }

  /** What is left out stays. */
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

  /** Everyone who keeps conversations. */
  async keepers(): Promise<string[]> {
    const rows = await UserAgentConfig.query().where('archive_enabled', true).select('user_id')
    return rows.map(({ userId }) => userId)
  }
}
