import type { DateTime } from 'luxon'

/** ISO 8601 in UTC, as the API tells times. */
export const iso = (time: DateTime | null | undefined): string | null =>
  time?.toUTC().toISO() ?? null
