import { compose } from '@adonisjs/core/helpers'
import { column } from '@adonisjs/lucid/orm'
import { FindingSchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'
import type { Author, FindingStatus } from '#models/types'

/** Something that was found out and is worth keeping. */
export default class Finding extends compose(FindingSchema, WithCuid, DataSealed, Owned) {
  @column()
  declare author: Author

  @column()
  declare status: FindingStatus
}
