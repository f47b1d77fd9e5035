import { LANGUAGE, t } from '~/locales'
import { rounded } from '~/locales/relative_time'

const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: 'auto' })
const exact = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'medium' })
const lists = new Intl.ListFormat(LANGUAGE, { type: 'conjunction' })
const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: '2-digit', minute: '2-digit' })
const numbers = new Intl.NumberFormat(LANGUAGE)
const shortNumbers = new Intl.NumberFormat(LANGUAGE, {
  notation: 'compact',
  maximumFractionDigits: 1,
})
/** The API's days are UTC. */
const shortDays = new Intl.DateTimeFormat(LANGUAGE, {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
})

/** "3 minutes ago", "in 2 hours"; below a minute "just now". */
export function fromNow(at: string, now: number): string {
  const seconds = (new Date(at).getTime() - now) / 1000
  const [count, unit] = rounded(seconds)
  if (unit) return relative.format(count, unit)
  return seconds > 1 ? t('time.soon') : t('time.now')
}

export const exactTime = (at: string) => exact.format(new Date(at))

/** Formats the hour and minute of a time. */
export const clockTime = (at: string) => clock.format(new Date(at))

/** "a, b, and c". */
export const list = (items: string[]) => lists.format(items)

export const number = (value: number) => numbers.format(value)

/** Formats a number compactly: "1.2M". */
export const compact = (value: number) => shortNumbers.format(value)

/** Formats bytes as megabytes: "3.2 MB". */
export const megabytes = (bytes: number) => t('megabytes', { size: compact(bytes / 1_048_576) })

/** Formats a day such as `2026-11-25` without its year. */
export const shortDay = (day: string) => shortDays.format(new Date(day))

/** Formats a sum of seconds as "12 h 30 min". */
export function dayTime(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  return t('time.hours', { hours: number(Math.floor(minutes / 60)), minutes: minutes % 60 })
}

/** Formats milliseconds as "8 s" or "1 min 20 s". */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  if (seconds < 60) return t('time.seconds', { seconds })
  return t('time.minutes', { minutes: Math.floor(seconds / 60), seconds: seconds % 60 })
}
