import type { DateTime } from 'luxon'
import { BaseModel, beforeFetch, beforeFind, belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import type { ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'
import { jsonColumn } from '#models/columns'
import type { AgentLimits, AgentStatus, DesiredState } from '#models/types'
import User from '#models/user'

type Query = ModelQueryBuilderContract<typeof AgentSummary>

/**
 * The part of a user's agent that an admin may see: its owner and its state. The row has more, such as its
 * gateway token; this model reads none of that, so code built on it cannot leak it.
 */
export default class AgentSummary extends BaseModel {
  static override table = 'user_containers'

  @column({ isPrimary: true })
  declare id: string

  @column()
  declare userId: string

  @column()
  declare status: AgentStatus

  @column()
  declare statusReason: string | null

  @column()
  declare desired: DesiredState

  @column()
  declare runtime: string | null

  @column()
  declare idleTimeoutMin: number

  /** Null: the installation's default. */
  @jsonColumn()
  declare limits: AgentLimits | null

  @column.dateTime()
  declare lastActiveAt: DateTime | null

  @column.dateTime()
  declare startedAt: DateTime | null

  @belongsTo(() => User)
  declare user: BelongsTo<typeof User>

  /** Pages are fetched as well. */
  @beforeFind()
  @beforeFetch()
  static readOwnColumns(query: Query) {
    void query.select([...AgentSummary.$columnsDefinitions.values()].map((own) => own.columnName))
  }
}
