import { compose } from '@adonisjs/core/helpers'
import { AgentMemorySchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'

/** A value that an agent keeps under a key. */
export default class AgentMemory extends compose(AgentMemorySchema, WithCuid, DataSealed, Owned) {}
