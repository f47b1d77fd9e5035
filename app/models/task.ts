import { compose } from '@adonisjs/core/helpers'
import { column } from '@adonisjs/lucid/orm'
import { TaskSchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'
import type { Author, TaskStatus } from '#models/types'

/** Something to do, for its owner or for the owner's agent. */
export default class Task extends compose(TaskSchema, WithCuid, DataSealed, Owned) {
  @column()
  declare author: Author

  @column()
  declare status: TaskStatus
}
