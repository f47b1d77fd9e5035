import { compose } from '@adonisjs/core/helpers'
import { WakeDaySchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** Count and total duration of one day's wakes with the same outcome. */
export default class WakeDay extends compose(WakeDaySchema, WithCuid) {}
