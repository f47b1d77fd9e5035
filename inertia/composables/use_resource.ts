import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { ApiFailure } from '~/api/client'

/**
 * Something read from the API, with the states a page must tell apart: `loading` (nothing yet),
 * `ready`, and `failed`. A reload keeps what is shown and marks it `stale` if it fails. It is read at once,
 * unless `later` says that only a reload begins it.
 */
export function useResource<Value>(load: () => Promise<Value>, { later = false } = {}) {
  const value = shallowRef<Value>()
  const failure = shallowRef<ApiFailure>()
  const busy = ref(false)
  let latest = 0
  /** What changed since the load in flight was begun. */
  let changes: ((value: Value) => Value)[] = []

  async function reload() {
    const turn = ++latest
    busy.value = true
    changes = []
    try {
      const loaded = await load()
      if (turn !== latest) return
      value.value = changes.reduce<Value>((changed, change) => change(changed), loaded)
      failure.value = undefined
    } catch (error) {
      if (turn === latest) failure.value = ApiFailure.from(error)
    } finally {
      if (turn === latest) busy.value = false
    }
  }

  /** Changes what is shown, and what is being loaded: that may have been read before the change. */
  function amend(change: (value: Value) => Value) {
    if (value.value !== undefined) value.value = change(value.value)
    if (busy.value) changes.push(change)
  }

  onScopeDispose(() => latest++)
  if (!later) void reload()

  const state = computed(() => {
    if (value.value !== undefined) return 'ready'
    return failure.value && !busy.value ? 'failed' : 'loading'
  })
  const stale = computed(() => value.value !== undefined && failure.value !== undefined)

  return { value, failure, state, stale, busy, reload, amend }
}
