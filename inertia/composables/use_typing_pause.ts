import { onScopeDispose } from 'vue'

/** Milliseconds without typing before a request is sent. */
const TYPING_MS = 250

/** Debounces an action: call `restart` on each change, `cancel` when it is no longer wanted. */
export function useTypingPause(act: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const cancel = () => clearTimeout(timer)
  onScopeDispose(cancel)

  function restart() {
    cancel()
    timer = setTimeout(act, TYPING_MS)
  }

  return { restart, cancel }
}
