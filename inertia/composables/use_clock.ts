import { onScopeDispose, ref } from 'vue'

/** Current time, for texts like "3 minutes ago". Ticks while a component on the page uses it. */
export function useClock(everyMs: number) {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), everyMs)
  onScopeDispose(() => clearInterval(timer))
  return now
}
