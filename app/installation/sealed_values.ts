import type { LucidModel } from '@adonisjs/lucid/types/model'
import DataKey from '#models/data_key'
import ConversationList from '#models/conversation_list'
import LlmProvider from '#models/llm_provider'
import SignInService from '#models/sign_in_service'
import SystemConfig from '#models/system_config'
import SystemContainer from '#models/system_container'
import Upload from '#models/upload'
import UserContainer from '#models/user_container'
import { isSealedColumn } from '#models/columns'
import { SECRET_SETTINGS } from '#settings/definitions'
import { OPTION_KEYS } from '#settings/runtime_options'
import type { SealContext } from '#vaults/contract'

/** Rows per batch: a walk of any length holds few rows in memory and locks none. */
const BATCH = 200

/** Rows per batch of tables whose rows may hold megabytes. */
const BATCH_OF_FILES = 4

/** Every model with secrets. A test compares it with the columns declared as sealed. */
export const SEALED_MODELS: LucidModel[] = [
  LlmProvider,
  SignInService,
  UserContainer,
  SystemContainer,
  DataKey,
  Upload,
  ConversationList,
]

/** A sealed value in its place. */
export interface SealedValue {
  sealed: string
  context: SealContext
  /** Replaces it with another sealed value, unless it has changed meanwhile. */
  replace(resealed: string): Promise<void>
}

interface SealedPlace {
  model: LucidModel
  property: string
  column: string
}

/** Iterates over every sealed value of the database, a few rows at a time. */
export async function* sealedValues(): AsyncIterable<SealedValue> {
  for (const place of sealedPlaces()) yield* valuesAt(place)
}

/** Settings hold sealed and plain values in one column; their definitions tell them apart. */
function sealedPlaces(): SealedPlace[] {
  const declared = SEALED_MODELS.flatMap((model) => {
    model.boot()
    return [...model.$columnsDefinitions]
      .filter(([property]) => isSealedColumn(model, property))
      .map(([property, { columnName }]) => ({ model, property, column: columnName }))
  })
  return [...declared, { model: SystemConfig, property: 'value', column: 'value' }]
}

async function* valuesAt({ model, property, column }: SealedPlace): AsyncIterable<SealedValue> {
  const batch = model === Upload ? BATCH_OF_FILES : BATCH
  for (let after = ''; ;) {
    const query = model.query().where('id', '>', after).whereNotNull(column)
    if (model === SystemConfig) {
      // Which options of a runtime are secrets is known only while its plugin is loaded.
      query.where((those) => {
        those.whereIn('key', SECRET_SETTINGS)
        those.orWhere((options) => options.whereLike('key', OPTION_KEYS).where('encrypted', true))
      })
    }
    const rows = await query.orderBy('id').limit(batch)
    if (rows.length === 0) return

    for (const row of rows) {
      const id = String(row.$primaryKeyValue)
      const sealed = row.$getAttribute(property) as string
      yield {
        sealed,
        context: { table: model.table, column, rowId: id },
        async replace(resealed) {
          const unchanged = model.query().where('id', id).where(column, sealed)
          await unchanged.update({ [column]: resealed })
        },
      }
      after = id
    }
  }
}
