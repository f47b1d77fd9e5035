import { createId } from '#models/row_id'
import type { BaseModel } from '@adonisjs/lucid/orm'
import type { LucidModel } from '@adonisjs/lucid/types/model'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'
import { isSealedColumn } from '#models/columns'
import vault from '#vaults/services/main'

/**
 * Adds `seal` and `open` for the model's sealed columns. A value is bound to the table, the column and the
 * row's ID.
 */
export function Sealed<Base extends NormalizeConstructor<typeof BaseModel>>(superclass: Base) {
  return class extends superclass {
    declare id: string

    /** Seals a secret into a column; null clears it. Does not save the row. */
    async seal(property: string, secret: string | null): Promise<void> {
      this.id ??= createId()
      const context = this.#sealContext(property)
      this.$setAttribute(property, secret === null ? null : await vault.seal(secret, context))
    }

    /**
     * Returns a column's secret, or null if none is set. Call it only where the secret is used.
     *
     * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED
     */
    async open(property: string): Promise<string | null> {
      const context = this.#sealContext(property)
      const sealed = this.$getAttribute(property)
      return sealed ? vault.open(sealed, context) : null
    }

    #sealContext(property: string) {
      const model = this.constructor as LucidModel
      const definition = model.$getColumn(property)
      if (!definition || !isSealedColumn(model, property)) {
        throw new Error(`${model.name}.${property} is not declared as sealed`)
      }
      return { table: model.table, column: definition.columnName, rowId: this.id }
    }
  }
}
