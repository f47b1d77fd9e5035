import type { LucidModel } from '@adonisjs/lucid/types/model'
import LlmProvider from '#models/llm_provider'
import SystemConfig from '#models/system_config'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import { isSealedColumn } from '#models/columns'
import { SECRET_SETTINGS } from '#settings/definitions'
import type { SealContext } from '#vaults/contract'

/** Rows read at a time: a rotation of any size holds few of them, and locks none. */
const BATCH = 200

/** Every model with secrets. A test compares it with the columns that are declared as sealed. */
export const SEALED_MODELS: LucidModel[] = [LlmProvider, UserContainer, SystemContainer]

/** What is done of a rotation. `failed` are secrets that did not open; they are left as they are. */
export interface RotationStatistics {
  examined: number
  resealed: number
  failed: number
}

export interface Resealer {
  reseal(sealed: string, context: SealContext): Promise<string>
}

interface SealedPlace {
  model: LucidModel
  property: string
  column: string
}

/**
 * Reseals, while Mosaic runs, every secret that an older key sealed. Skips a secret that changes meanwhile,
 * because that change sealed it with the present key. Safe to interrupt and run again at any time.
 */
export async function rotateVault(vault: Resealer): Promise<RotationStatistics> {
  const statistics = { examined: 0, resealed: 0, failed: 0 }
  for (const place of sealedPlaces()) await rotatePlace(vault, place, statistics)
  return statistics
}

/** The settings hold sealed and plain values in one column: their definitions tell which. */
function sealedPlaces(): SealedPlace[] {
  const declared = SEALED_MODELS.flatMap((model) => {
    model.boot()
    return [...model.$columnsDefinitions]
      .filter(([property]) => isSealedColumn(model, property))
      .map(([property, { columnName }]) => ({ model, property, column: columnName }))
  })
  return [...declared, { model: SystemConfig, property: 'value', column: 'value' }]
}

async function rotatePlace(
  vault: Resealer,
  { model, property, column }: SealedPlace,
  statistics: RotationStatistics
): Promise<void> {
  for (let after = ''; ;) {
    const query = model.query().where('id', '>', after).whereNotNull(column)
    if (model === SystemConfig) query.whereIn('key', SECRET_SETTINGS)
    const rows = await query.orderBy('id').limit(BATCH)
    if (rows.length === 0) return

    for (const row of rows) {
      const id = String(row.$primaryKeyValue)
      const sealed = row.$getAttribute(property) as string
      const context = { table: model.table, column, rowId: id }
      const outcome = await rotateValue(vault, sealed, context, (resealed) =>
        model
          .query()
          .where('id', id)
          .where(column, sealed)
          .update({ [column]: resealed })
      )
      statistics.examined++
      if (outcome !== 'unchanged') statistics[outcome]++
      after = id
    }
  }
}

async function rotateValue(
  vault: Resealer,
  sealed: string,
  context: SealContext,
  store: (resealed: string) => PromiseLike<unknown>
): Promise<'resealed' | 'unchanged' | 'failed'> {
  let resealed: string
  try {
    resealed = await vault.reseal(sealed, context)
  } catch {
    return 'failed'
  }
  if (resealed === sealed) return 'unchanged'
  await store(resealed)
  return 'resealed'
}
