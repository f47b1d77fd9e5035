import { compose } from '@adonisjs/core/helpers'
import { WakeDaySchema } from '#database/schema'
import { WithCuid } from '#models/with_cuid'

/** How many wakes of one day ended in one way, and how long they took together. */
export default class WakeDay extends compose(WakeDaySchema, WithCuid) {}
