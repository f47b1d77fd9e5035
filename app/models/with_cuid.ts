import { createId } from '@paralleldrive/cuid2'
import { beforeCreate, type BaseModel } from '@adonisjs/lucid/orm'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'

/** Gives new rows a cuid2 ID, unless they already have one. */
export function WithCuid<Base extends NormalizeConstructor<typeof BaseModel>>(superclass: Base) {
  class ModelWithCuid extends superclass {
    static override selfAssignPrimaryKey = true

    declare id: string

    @beforeCreate()
    static assignId(row: ModelWithCuid) {
      row.id ??= createId()
    }
  }
  return ModelWithCuid
}
