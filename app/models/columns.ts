import { column } from '@adonisjs/lucid/orm'
import type { LucidModel } from '@adonisjs/lucid/types/model'
import { DATA_SEAL_PREFIX } from '#vaults/data_cipher'
import { E_VAULT_NOT_SEALED } from '#vaults/errors'

type Declared = WeakMap<object, Set<string>>

function isDeclared(declared: Declared, model: LucidModel, name: string): boolean {
  for (let owner: object | null = model; owner; owner = Object.getPrototypeOf(owner)) {
    if (declared.get(owner)?.has(name)) return true
  }
  return false
}

/** A column that takes text with this prefix alone. */
const sealing = (declared: Declared, prefix: string) => (target: any, property: string) => {
  const model = target.constructor as LucidModel
  const names = declared.get(model) ?? new Set()
  declared.set(model, names.add(property))

  column({
    serializeAs: null,
    prepare(value: unknown) {
      if (value === null || value === undefined) return value
      if (typeof value !== 'string' || !value.startsWith(prefix)) throw new E_VAULT_NOT_SEALED()
      return value
    },
  })(target, property)
}

/** Sealed columns by model. */
const sealedColumns = new WeakMap<object, Set<string>>()

/** Returns whether the model's column holds sealed text. */
export function isSealedColumn(model: LucidModel, name: string): boolean {
  return isDeclared(sealedColumns, model, name)
}

/**
 * Declares a column that holds a secret. The property is the sealed text: it opens only through `open()` of the
 * `Sealed` mixin, is omitted from every serialisation, and rejects unsealed values.
 */
export const sealedColumn = () => sealing(sealedColumns, 'enc:')

/** The columns of a model that are declared as sealed under a data key. */
const dataSealedColumns = new WeakMap<object, Set<string>>()

/** Whether the column of this model holds text sealed under its owner's data key. */
export function isDataSealedColumn(model: LucidModel, name: string): boolean {
  return isDeclared(dataSealedColumns, model, name)
}

/**
 * A column that holds what somebody knows. The property is the text sealed under the owner's data key; it opens
 * only through `openWith()` of the `DataSealed` mixin, is omitted from every serialisation, and rejects unsealed
 * values.
 */
export const dataSealedColumn = () => sealing(dataSealedColumns, DATA_SEAL_PREFIX)

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
