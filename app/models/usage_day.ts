import { compose } from '@adonisjs/core/helpers'
import { UsageDaySchema } from '#database/schema'
import { Owned } from '#models/owned'
import { WithCuid } from '#models/with_cuid'

/** One user's usage on one day, as sums. */
export default class UsageDay extends compose(UsageDaySchema, WithCuid, Owned) {}
