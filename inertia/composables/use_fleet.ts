import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, ApiFailure } from '~/api/client'
import { onSilence } from '~/composables/silence'
import type { AgentChange, FleetNow } from '~/api/shapes'

/** Delay after which a background tab closes its stream, so that many tabs do not hold many streams. */
const HIDDEN_MS = 30_000
/**
 * Delay before reconnecting after a refusal; the browser reconnects by itself only after a broken connection.
 */
const RETRY_MS = 5_000

/**
 * Live view of the fleet: the number of agents in each state, and every change. Lives as long as the
 * component that uses it. `caughtUp` is called whenever the stream opens: changes during a break were missed, and
 * so were those between what the page has read and the first opening.
 */
export function useFleet({
  changed = () => {},
  caughtUp = () => {},
}: { changed?: (agent: AgentChange) => void; caughtUp?: () => void } = {}) {
  const now = shallowRef<FleetNow>()
  const stale = ref(false)
  let source: EventSource | undefined
  let endWatch = () => {}
  let left = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function open() {
    clearTimeout(timer)
    if (source || document.hidden) return
    source = new EventSource('/api/v1/admin/fleet/events')
    endWatch = onSilence(source, ['fleet'], () => {
      stale.value = true
      close()
      open()
    })
    source.addEventListener('open', () => {
      stale.value = false
      caughtUp()
    })
    source.addEventListener('fleet', ({ data }) => (now.value = JSON.parse(data)))
    source.addEventListener('agent', ({ data }) => changed(JSON.parse(data)))
    source.addEventListener('error', () => {
      stale.value = true
      if (source?.readyState !== EventSource.CLOSED) return
      close()
      /** The error does not say why the stream was refused; a request does, if this person may not see it any more. */
      void api.get('/admin/fleet').then(again, (error) => {
        const { status } = ApiFailure.from(error)
        if (status !== 401 && status !== 403) again()
      })
    })
  }

  function again() {
    clearTimeout(timer)
    if (!left) timer = setTimeout(open, RETRY_MS)
  }

  function close() {
    source?.close()
    source = undefined
    endWatch()
  }

  function onVisibility() {
    clearTimeout(timer)
    if (!document.hidden) return open()
    timer = setTimeout(close, HIDDEN_MS)
  }

  document.addEventListener('visibilitychange', onVisibility)
  open()
  onScopeDispose(() => {
    left = true
    document.removeEventListener('visibilitychange', onVisibility)
    clearTimeout(timer)
    close()
  })

  return { now, stale }
}
