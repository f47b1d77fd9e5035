import { onScopeDispose } from 'vue'

/** Typing goes on for a moment before anything is asked for, in milliseconds. */
const TYPING_MS = 250

/** Runs an act once typing has paused: `restart` with each change, `cancel` when it is no longer wanted. */
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
