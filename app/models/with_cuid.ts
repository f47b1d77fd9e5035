import { beforeCreate, type BaseModel } from '@adonisjs/lucid/orm'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'
import { createId } from '#models/row_id'

/** Gives new rows an ID in the shape of a cuid2, unless they already have one. */
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
