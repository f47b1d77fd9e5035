import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { ApiFailure } from '~/api/client'

/**
 * Resource read from the API: `loading` (nothing yet), `ready` or `failed`. A reload keeps the current value
 * and marks it `stale` on failure. Loads at once, unless `later` defers that to the first reload.
 */
export function useResource<Value>(load: () => Promise<Value>, { later = false } = {}) {
  const value = shallowRef<Value>()
  const failure = shallowRef<ApiFailure>()
  const busy = ref(false)
  let latest = 0
  /** Changes made since the current load started. */
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

  /** Changes the current value and the one being loaded, which may predate the change. */
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
