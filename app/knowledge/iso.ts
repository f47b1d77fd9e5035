import type { DateTime } from 'luxon'

/** Returns ISO 8601 in UTC, the API's time format. */
export const iso = (time: DateTime | null | undefined): string | null =>
  time?.toUTC().toISO() ?? null
