import { createId } from '@paralleldrive/cuid2'

/** Nine digits to the base 36 hold milliseconds until the year 5188. */
const TIME_DIGITS = 9
const COUNT_DIGITS = 4
const RANDOM_DIGITS = 11

/**
 * Ids that sort by the time they were made: the columns of time are exact to the second only, and many
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

/** Keeps apart what several replicas of Mosaic make in the same millisecond. */
const random = () => createId().slice(0, RANDOM_DIGITS)
