import { compose } from '@adonisjs/core/helpers'
import { ArchiveConversationSchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'

/** An archived conversation. Without messages it only records how far it has been read. */
export default class ArchiveConversation extends compose(
  ArchiveConversationSchema,
  WithCuid,
  DataSealed,
  Owned
) {}
