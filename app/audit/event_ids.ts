import { createId } from '#models/row_id'

/** Nine base-36 digits hold milliseconds until the year 5188. */
const TIME_DIGITS = 9
const COUNT_DIGITS = 4
const RANDOM_DIGITS = 11

/**
 * Creates ids that sort by creation time. Timestamp columns are exact only to the second, and many
 * events happen within one.
 */
export class EventIds {
  #last = 0
  #count = 0

  constructor(protected now: () => number = Date.now) {}

  next(): string {
    const time = Math.max(this.now(), this.#last)
    this.#count = time === this.#last ? this.#count + 1 : 0
    this.#last = time
    return digits(time, TIME_DIGITS) + digits(this.#count, COUNT_DIGITS) + random()
  }
}

const digits = (value: number, length: number) => value.toString(36).padStart(length, '0')

/** Distinguishes ids that several replicas of Mosaic create in the same millisecond. */
const random = () => createId().slice(0, RANDOM_DIGITS)
