import { compose } from '@adonisjs/core/helpers'
import { DataKeySchema } from '#database/schema'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'

/** The key that seals what one owner knows, itself sealed by the vault. Deleting it makes all of that unreadable. */
export default class DataKey extends compose(DataKeySchema, WithCuid, Sealed) {}
