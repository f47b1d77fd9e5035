import { compose } from '@adonisjs/core/helpers'
import { column } from '@adonisjs/lucid/orm'
import { ArchiveMessageSchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'

/** A message of an archived conversation. */
export default class ArchiveMessage extends compose(
  ArchiveMessageSchema,
  WithCuid,
  DataSealed,
  Owned
) {
  @column()
  declare role: 'user' | 'assistant'
}
