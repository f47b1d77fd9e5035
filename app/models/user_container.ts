import { compose } from '@adonisjs/core/helpers'
import { belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { UserContainerSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'
import { WithLifecycle } from '#models/with_lifecycle'
import User from '#models/user'
import type { WakePolicy } from '#models/types'

/** A user's own agent: its desired state, and the last observed state of its instance. */
export default class UserContainer extends compose(
  UserContainerSchema,
  WithCuid,
  Sealed,
  WithLifecycle,
  Owned
) {
  /** Null: the installation's default. */
  @column()
  declare wakePolicy: WakePolicy | null

  @belongsTo(() => User)
  declare user: BelongsTo<typeof User>
}
