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

  /** Shows messages at their fields. False if the form has none of these fields. */
  async function show(found: Record<string, string>): Promise<boolean> {
    errors.value = found
    await nextTick()
    const first = form.value?.querySelector<HTMLElement>('[aria-invalid="true"]')
    first?.focus()
    return Boolean(first)
  }

  /** The message of a field, or of the first part of it: `models` has that of `models.0.id`. */
  function under(field: string): string | undefined {
    const key = Object.keys(errors.value).find(
      (one) => one === field || one.startsWith(`${field}.`)
    )
    return key && errors.value[key]
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
      const shown = await show(failed.fields)
      if (!shown) failure.value = failed
    } finally {
      busy.value = false
    }
  }

  return { busy, errors, failure, submit, show, under, clear }
}
