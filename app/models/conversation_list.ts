import { compose } from '@adonisjs/core/helpers'
import { ConversationListSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'

/** A user's conversations as their agent told them last. `list` is JSON, sealed. */
export default class ConversationList extends compose(
  ConversationListSchema,
  WithCuid,
  Sealed,
  Owned
) {}
