import { hasCode } from '#drivers/error_code'
import { withoutEndingSlashes } from '#llm/base_url'
import type { LlmAdapter, LlmField, LlmModel } from '#llm/contract'
import { assertCallable } from '#llm/guarded_dispatcher'
import { unusableModelName } from '#openclaw/model_names'
import { refuseFields, type FieldError } from '#settings/field_errors'

/** A model as a person enters it: its ID and the known details. */
export interface ModelInput {
  id: string
  name?: string
  contextWindow?: number | null
  maxTokens?: number | null
}

/** A provider as a person enters it. Omitted or null values come from the adapter's defaults. */
export interface ProviderInput {
  type: string
  name: string
  displayName?: string
  baseUrl?: string | null
  apiKey?: string | null
  apiType?: string | null
  models?: ModelInput[] | null
  isActive?: boolean
}

/** Later changes. Omitted values stay; null restores the default. */
export type ProviderChanges = Partial<ProviderInput>

/** The values of a provider that its adapter validates, ready to be stored. */
export interface ProviderValues {
  /** Null for the service's own address, and for an adapter without one. */
  baseUrl: string | null
  /** Null: none; undefined: unchanged. */
  apiKey: string | null | undefined
  apiType: string
  models: LlmModel[]
}

/** Required fields: a connection test needs no model yet. */
export interface Needs {
  models: boolean
}

/**
 * Validates input against the fields of the adapter's form and converts it for storage. Other fields are
 * dropped, so that no unused key is kept.
 *
 * `stored` is the existing provider, when one is being changed.
 *
 * @throws E_VALIDATION_ERROR naming each field
 */
export function providerValues(
  adapter: LlmAdapter,
  input: ProviderChanges,
  needs: Needs,
  stored: (Omit<ProviderValues, 'apiKey'> & { hasKey: boolean }) | null = null
): ProviderValues {
  const wrong: FieldError[] = []
  const field = (name: LlmField['name']) => adapter.fields.find((entry) => entry.name === name)
  const required = (name: LlmField['name']) => field(name)?.required === true

  const baseUrl = field('baseUrl') ? chosenBaseUrl(adapter, input, stored, wrong) : null
  if (!baseUrl && required('baseUrl')) {
    wrong.push({ field: 'baseUrl', message: 'Enter the address of the service.' })
  }

  const apiKey = field('apiKey') ? emptyToNull(input.apiKey) : null
  const hasKey = apiKey ?? (apiKey === undefined && stored?.hasKey)
  if (!hasKey && required('apiKey')) {
    wrong.push({ field: 'apiKey', message: `Enter the API key that ${adapter.label} gave you.` })
  }
  /** Otherwise someone who changes the address could have the key sent to their own server. */
  if (stored?.hasKey && apiKey === undefined && origin(baseUrl) !== origin(stored.baseUrl)) {
    wrong.push({
      field: 'apiKey',
      message: 'Enter the key again: the stored one belongs to another address.',
    })
  }

  const apiType = input.apiType ?? (input.apiType === null ? null : stored?.apiType)
  const offered = field('apiType')?.options?.map(({ value }) => value)
  const allowed = offered ?? [adapter.defaults.apiType]
  if (apiType && !allowed.includes(apiType)) {
    wrong.push({ field: 'apiType', message: `Choose one of: ${allowed.join(', ')}.` })
  }

  const models = chosenModels(adapter, input, stored)
  if (needs.models && models.length === 0) {
    wrong.push({ field: 'models', message: 'Name at least one model that your agent may use.' })
  }

  wrong.push(...unusableNames(input.models ?? []))

  refuseFields(wrong)
  return { baseUrl, apiKey, apiType: apiType ?? adapter.defaults.apiType, models }
}

function chosenBaseUrl(
  adapter: LlmAdapter,
  input: ProviderChanges,
  stored: { baseUrl: string | null } | null,
  wrong: FieldError[]
): string | null {
  const typed = emptyToNull(input.baseUrl)
  if (typed === undefined) return stored?.baseUrl ?? null
  if (typed === null) return null

  try {
    const url = assertCallable(typed)
    if (url.search || url.hash) {
      wrong.push({ field: 'baseUrl', message: 'An address ends before any "?" or "#".' })
    }
    const bare = withoutEndingSlashes(`${url.origin}${url.pathname}`)
    const tidy = withoutEndingSlashes(adapter.tidyBaseUrl?.(bare) ?? bare)
    return tidy === adapter.defaults.baseUrl ? null : tidy
  } catch (error) {
    if (!hasCode(error, 'E_BLOCKED_ADDRESS')) throw error
    wrong.push({ field: 'baseUrl', message: error.message })
    return typed
  }
}

function chosenModels(
  adapter: LlmAdapter,
  { models }: ProviderChanges,
  stored: { models: LlmModel[] } | null
): LlmModel[] {
  if (models === undefined && stored) return stored.models
  if (!models) return adapter.defaults.models
  return models.map(({ id, name, contextWindow, maxTokens }) => ({
    id,
    name: name || id,
    ...(contextWindow && { contextWindow }),
    ...(maxTokens && { maxTokens }),
  }))
}

/** Returns the model names that would not reach the service unchanged, and why. */
function unusableNames(models: ModelInput[]): FieldError[] {
  return models.flatMap(({ id, name }, index) => {
    const ofId = unusableModelName(id)
    const ofName = name?.includes('${') ? unusableModelName('${}') : null
    return [
      ...(ofId ? [{ field: `models.${index}.id`, message: ofId }] : []),
      ...(ofName ? [{ field: `models.${index}.name`, message: ofName }] : []),
    ]
  })
}

/** The origin that a key is sent to. Null stands for the service's own, which never changes. */
function origin(baseUrl: string | null): string | null {
  return baseUrl && (URL.parse(baseUrl)?.origin ?? baseUrl)
}

function emptyToNull(text: string | null | undefined): string | null | undefined {
  return text === '' ? null : text
}
