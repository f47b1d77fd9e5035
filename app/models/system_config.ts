import { compose } from '@adonisjs/core/helpers'
import { SystemConfigSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** One stored setting, set by an admin or by Mosaic. Read it through `#settings`. */
export default class SystemConfig extends compose(SystemConfigSchema, WithCuid) {}
