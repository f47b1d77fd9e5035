import { computed, reactive, ref, watch } from 'vue'
import { api } from '~/api/client'
import type { ConnectionTest, LlmModel, Provider, ProviderInput, ProviderType } from '~/api/shapes'

/** Most models to preselect. */
const PICK_AT_MOST = 12

/** Converts text to a provider's short name: lower-case letters, digits and dashes. */
export function toShortName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 63)
}

/** State of the form for a new provider, or for `edited`. */
export function useProviderForm(types: () => ProviderType[], edited?: Provider) {
  const state = reactive({
    type: edited?.type ?? '',
    name: edited?.name ?? '',
    displayName: edited?.displayName ?? '',
    baseUrl: edited?.baseUrl ?? '',
    apiKey: '',
    apiType: edited?.apiType ?? '',
    models: (edited?.models ?? []) as LlmModel[],
    isActive: edited?.isActive ?? true,
  })
  /** Whether to keep the stored key, which is never shown. */
  const keepKey = ref(Boolean(edited?.apiKey?.set))
  /** Names follow the service until the user edits them. */
  const named = reactive({ name: Boolean(edited), displayName: Boolean(edited) })

  const adapter = computed(() => types().find(({ type }) => type === state.type))
  const field = (name: string) => adapter.value?.fields.find((one) => one.name === name)

  /** Reacts to another type; the same type may be loaded again at any time. */
  watch(
    () => adapter.value?.type,
    (_, before) => {
      const chosen = adapter.value
      if (!chosen || (edited && !before)) return
      if (!named.displayName) state.displayName = chosen.label
      if (!named.name) state.name = toShortName(chosen.type)
      state.baseUrl = ''
      /** A key is for one service alone. */
      state.apiKey = ''
      state.apiType = chosen.defaults.apiType
      state.models = chosen.defaults.models.slice()
      forget()
    },
    { immediate: true }
  )

  watch([() => state.apiType, keepKey], () => forget())

  const result = ref<ConnectionTest>()
  const testing = ref(false)
  /** Version of the form: results of tests of older versions are dropped. */
  let edition = 0

  function forget() {
    edition++
    result.value = undefined
  }

  /** The API's input. Omits a kept key, and an address that the service decides. */
  function toInput(): ProviderInput {
    const input: ProviderInput = {
      type: state.type,
      name: state.name,
      displayName: state.displayName,
      models: state.models,
      isActive: state.isActive,
    }
    if (field('baseUrl')) input.baseUrl = state.baseUrl.trim() || null
    if (field('apiType') && state.apiType) input.apiType = state.apiType
    if (field('apiKey') && !keepKey.value && state.apiKey) input.apiKey = state.apiKey
    return input
  }

  /** Tests the connection; fills an empty selection from the discovered models. Throws `ApiFailure`. */
  async function test(): Promise<ConnectionTest> {
    testing.value = true
    const tested = edition
    try {
      const path = edited && keepKey.value ? `/providers/${edited.id}/test` : '/providers/test'
      const answer = await api.post<ConnectionTest>(path, toInput())
      if (tested !== edition) return answer
      result.value = answer
      if (answer.ok && !edited) pick(answer.models)
      return answer
    } finally {
      testing.value = false
    }
  }

  /** Keeps the selected models that the service lists; if none remain, selects its first ones. */
  function pick(found: LlmModel[]) {
    if (!found.length) return
    const ids = new Set(found.map(({ id }) => id))
    const kept = state.models.filter(({ id }) => ids.has(id))
    state.models = kept.length ? kept : found.slice(0, PICK_AT_MOST)
  }

  const found = computed(() => {
    if (result.value?.models.length) return result.value.models
    return adapter.value?.defaults.models ?? []
  })

  return { state, named, keepKey, adapter, field, found, result, testing, test, forget, toInput }
}

export type ProviderForm = ReturnType<typeof useProviderForm>
