import { nextTick, ref, shallowRef, useTemplateRef } from 'vue'
import { ApiFailure } from '~/api/client'

/**
 * Submits a form to the API: collects errors by field and the rest in `failure`, and focuses the first
 * invalid field. Input stays with the form, whose element has `ref="form"`.
 */
export function useSubmit() {
  const busy = ref(false)
  const errors = ref<Record<string, string>>({})
  /** Error that belongs to no field of the form. */
  const failure = shallowRef<ApiFailure>()
  const form = useTemplateRef<HTMLElement>('form')
  /** Counts the forms that were begun: a late result does not belong to the next one. */
  const turn = ref(0)

  function clear() {
    errors.value = {}
    failure.value = undefined
  }

  /** Begins another form in the same place, as a dialog that is opened again. */
  function begin() {
    turn.value++
    clear()
  }

  /** Shows messages at their fields. Returns false if the form has none of these fields. */
  async function show(found: Record<string, string>): Promise<boolean> {
    errors.value = found
    await nextTick()
    const first = form.value?.querySelector<HTMLElement>('[aria-invalid="true"]')
    first?.focus()
    return Boolean(first)
  }

  /** Returns the message of a field or of its first part: `models` gets that of `models.0.id`. */
  function under(field: string): string | undefined {
    const key = Object.keys(errors.value).find(
      (one) => one === field || one.startsWith(`${field}.`)
    )
    return key && errors.value[key]
  }

  /**
   * Runs `act`, one call at a time. Returns undefined on failure, with the reason in `errors` or `failure`. `done` gets
   * the result unless another form was begun meanwhile.
   */
  async function submit<Result>(
    act: () => Promise<Result>,
    done?: (result: Result) => void
  ): Promise<Result | undefined> {
    if (busy.value) return
    busy.value = true
    clear()
    const begun = turn.value
    try {
      const result = await act()
      if (begun === turn.value) done?.(result)
      return result
    } catch (error) {
      if (begun !== turn.value) return
      const failed = ApiFailure.from(error)
      const shown = await show(failed.fields)
      if (!shown) failure.value = failed
    } finally {
      busy.value = false
    }
  }

  return { busy, errors, failure, submit, show, under, clear, begin, turn }
}
