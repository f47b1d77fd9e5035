import type { Task } from '~/api/shapes'
import { t } from '~/locales'

/** In the order in which a task goes through them. */
export const STATUSES = ['todo', 'doing', 'blocked', 'done', 'cancelled'] as const
export type Status = Task['status']

export const statusItems = () =>
  STATUSES.map((value) => ({ value, label: t(`tasks.status.${value}`) }))

/** Whether someone has claimed the task and may still work on it. */
export const isClaimed = ({ claimedUntil }: Task, now = Date.now()) =>
  claimedUntil !== null && Date.parse(claimedUntil) > now
