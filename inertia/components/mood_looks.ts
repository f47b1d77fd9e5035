import type { Mood } from '~/composables/use_agent'

interface Look {
  icon: string
  color: 'neutral' | 'success' | 'warning' | 'error' | 'info'
  text: string
}

/** Icon and colour of each state. The pill adds the spinning for waking. */
export const MOOD_LOOKS: Record<Mood, Look> = {
  asleep: { icon: 'i-lucide-moon', color: 'neutral', text: 'text-muted' },
  waking: { icon: 'i-lucide-sunrise', color: 'info', text: 'text-info' },
  awake: { icon: 'i-lucide-sun', color: 'success', text: 'text-success' },
  resting: { icon: 'i-lucide-coffee', color: 'neutral', text: 'text-muted' },
  fallingAsleep: { icon: 'i-lucide-moon-star', color: 'neutral', text: 'text-muted' },
  trouble: { icon: 'i-lucide-triangle-alert', color: 'error', text: 'text-error' },
}
