import { createId } from '#models/row_id'
import type { BaseModel } from '@adonisjs/lucid/orm'
import type { LucidModel } from '@adonisjs/lucid/types/model'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'
import { isDataSealedColumn } from '#models/columns'
import type { DataCipher } from '#vaults/data_cipher'

/**
 * `sealWith` and `openWith` for the columns that a model declares as sealed under a data key. The value is bound
 * to the model's table, the column and the row's id.
 */
export function DataSealed<Base extends NormalizeConstructor<typeof BaseModel>>(superclass: Base) {
  return class extends superclass {
    declare id: string

    /** Sets a sealed column from a text or bytes; null clears it. The row is not saved. */
    sealWith(cipher: DataCipher, property: string, plain: string | Buffer | null): void {
      this.id ??= createId()
      const context = this.#sealContext(property)
      this.$setAttribute(property, plain === null ? null : cipher.seal(plain, context))
    }

    /**
     * The text of a sealed column, or null where none is set.
     *
     * @throws E_DATA_KEY_GONE, E_VAULT_TAMPERED
     */
    openWith(cipher: DataCipher, property: string): string | null {
      const context = this.#sealContext(property)
      const sealed = this.$getAttribute(property)
      return sealed ? cipher.open(sealed, context) : null
    }

    /** As `openWith`, for a column that holds bytes and is never null. */
    openBytesWith(cipher: DataCipher, property: string): Buffer {
      return cipher.openBytes(this.$getAttribute(property), this.#sealContext(property))
    }

    #sealContext(property: string) {
      const model = this.constructor as LucidModel
      const definition = model.$getColumn(property)
      if (!definition || !isDataSealedColumn(model, property)) {
        throw new Error(`${model.name}.${property} is not declared as sealed under a data key`)
      }
      return { table: model.table, column: definition.columnName, rowId: this.id }
    }
  }
}
