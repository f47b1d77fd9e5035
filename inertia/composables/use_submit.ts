import { nextTick, ref, shallowRef, useTemplateRef } from 'vue'
import { ApiFailure } from '~/api/client'

/**
 * One form's way to the API: errors by field, the rest as `failure`, and focus on the first field that
 * is wrong. What was typed is the form's own and stays. The form's element is the one with `ref="form"`.
 */
export function useSubmit() {
  const busy = ref(false)
  const errors = ref<Record<string, string>>({})
  /** What went wrong that belongs to no field of the form. */
  const failure = shallowRef<ApiFailure>()
  const form = useTemplateRef<HTMLElement>('form')

  function clear() {
    errors.value = {}
    failure.value = undefined
  }

  async function show(found: Record<string, string>) {
    errors.value = found
    await nextTick()
    form.value?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }

  /** Runs `act` once at a time. Undefined if it failed: the reason is in `errors` or `failure`. */
  async function submit<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
    if (busy.value) return
    busy.value = true
    clear()
    try {
      return await act()
    } catch (error) {
      const failed = ApiFailure.from(error)
      const fields = failed.fields
      if (!Object.keys(fields).length) failure.value = failed
      else void show(fields)
    } finally {
      busy.value = false
    }
  }

  return { busy, errors, failure, submit, show, clear }
}
