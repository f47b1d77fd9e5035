import { compose } from '@adonisjs/core/helpers'
import { ConversationListSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'

/** The last list of conversations that a user's agent returned. `list` is JSON, sealed. */
export default class ConversationList extends compose(
  ConversationListSchema,
  WithCuid,
  Sealed,
  Owned
) {}
