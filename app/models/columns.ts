import { column } from '@adonisjs/lucid/orm'
import type { LucidModel } from '@adonisjs/lucid/types/model'
import { E_VAULT_NOT_SEALED } from '#vaults/errors'

/** Sealed columns by model. */
const sealedColumns = new WeakMap<object, Set<string>>()

/** Returns whether the model's column holds sealed text. */
export function isSealedColumn(model: LucidModel, name: string): boolean {
  for (let owner: object | null = model; owner; owner = Object.getPrototypeOf(owner)) {
    if (sealedColumns.get(owner)?.has(name)) return true
  }
  return false
}

/**
 * Declares a column that holds a secret. The property is the sealed text: it opens only through `open()` of the
 * `Sealed` mixin, is omitted from every serialisation, and rejects unsealed values.
 */
export const sealedColumn = () => (target: any, property: string) => {
  const model = target.constructor as LucidModel
  const names = sealedColumns.get(model) ?? new Set()
  sealedColumns.set(model, names.add(property))

  column({
    serializeAs: null,
    prepare(value: unknown) {
      if (value === null || value === undefined) return value
      if (typeof value !== 'string' || !value.startsWith('enc:')) throw new E_VAULT_NOT_SEALED()
      return value
    },
  })(target, property)
}

/** Declares a boolean column, which SQLite returns as 1 or 0. */
export const booleanColumn = () =>
  column({ consume: (value: unknown) => (value === null ? null : Boolean(value)) })

/** Declares a JSON column, which SQLite returns as text. */
export const jsonColumn = () =>
  column({
    prepare: (value: unknown) =>
      value === null || value === undefined ? value : JSON.stringify(value),
    consume: (value: unknown) => (typeof value === 'string' ? JSON.parse(value) : value),
  })
