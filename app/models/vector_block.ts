import { compose } from '@adonisjs/core/helpers'
import { VectorBlockSchema } from '#database/schema'
import { DataSealed } from '#models/data_sealed'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'

/** Vectors of one owner's findings, sealed together, because opening each by itself would take a search seconds. */
export default class VectorBlock extends compose(VectorBlockSchema, WithCuid, DataSealed, Owned) {}
