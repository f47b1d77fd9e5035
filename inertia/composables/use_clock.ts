import { onScopeDispose, ref } from 'vue'

/** The present, for texts like "3 minutes ago". Ticks while anything on the page uses it. */
export function useClock(everyMs: number) {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), everyMs)
  onScopeDispose(() => clearInterval(timer))
  return now
}
