import { compose } from '@adonisjs/core/helpers'
import { SystemConfigSchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** One setting that an admin or the installation itself has made. Read it through `#settings`. */
export default class SystemConfig extends compose(SystemConfigSchema, WithCuid) {}
