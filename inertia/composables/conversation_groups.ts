import type { ConversationSummary } from '~/api/shapes'
import { t, type MessageKey } from '~/locales'

const DAY_MS = 24 * 60 * 60_000

/** Conversations under one heading. */
export interface ConversationGroup {
  title: string
  items: ConversationSummary[]
}

const startOfDay = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()

function headingOf({ pinned, updatedAt }: ConversationSummary, today: number): MessageKey {
  if (pinned) return 'chat.pinned'
  const days = Math.round((today - startOfDay(new Date(updatedAt))) / DAY_MS)
  if (days <= 0) return 'chat.today'
  if (days === 1) return 'chat.yesterday'
  return days <= 7 ? 'chat.lastDays' : 'chat.earlier'
}

/** Groups a list by the day of its last message, in the list's order. Pinned ones are a group of their own. */
export function grouped(items: ConversationSummary[], now = new Date()): ConversationGroup[] {
  const today = startOfDay(now)
  const groups = new Map<MessageKey, ConversationSummary[]>()
  for (const item of items) {
    const heading = headingOf(item, today)
    groups.set(heading, [...(groups.get(heading) ?? []), item])
  }
  return [...groups].map(([heading, found]) => ({ title: t(heading), items: found }))
}
