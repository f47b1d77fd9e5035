import { compose } from '@adonisjs/core/helpers'
import { belongsTo } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import { SystemContainerSchema } from '#database/schema'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'
import { WithLifecycle } from '#models/with_lifecycle'
import LlmProvider from '#models/llm_provider'

/** An always-on agent that an admin runs for everyone. */
export default class SystemContainer extends compose(
  SystemContainerSchema,
  WithCuid,
  Sealed,
  WithLifecycle
) {
  @belongsTo(() => LlmProvider, { foreignKey: 'providerId' })
  declare provider: BelongsTo<typeof LlmProvider>
}
