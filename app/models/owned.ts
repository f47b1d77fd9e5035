import type { BaseModel } from '@adonisjs/lucid/orm'
import type { LucidModel, ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'

/**
 * The one place that scopes a user's data by its owner. Services that act for a user start every query with
 * `ownedBy`, so other users' rows do not exist for them.
 */
export function Owned<Base extends NormalizeConstructor<typeof BaseModel>>(superclass: Base) {
  return class extends superclass {
    declare userId: string

    static ownedBy<Model extends LucidModel>(
      this: Model,
      ownerId: string
    ): ModelQueryBuilderContract<Model> {
      return this.query().where('user_id', ownerId) as ModelQueryBuilderContract<Model>
    }
  }
}
