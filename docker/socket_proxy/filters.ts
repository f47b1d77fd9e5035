import { INSTALLATION_LABEL, type Installation } from '#socket_proxy/installation'
import { Refusal } from '#socket_proxy/refusal'
import { isObject } from '#socket_proxy/shape'

/**
 * Returns the filters of a list or of events, always with the installation's label, so that others' objects
 * stay hidden. Filters on different labels must all match.
 *
 * @throws Refusal
 */
export function ownFilters(text: string | undefined, installation: Installation): string {
  const filters = parsed(text)
  const labels = filters.label ?? []
  const named = labels
    .filter((label) => label.startsWith(`${INSTALLATION_LABEL}=`))
    .map((label) => label.slice(INSTALLATION_LABEL.length + 1))
  for (const id of named) installation.take(id)

  const id = installation.id
  if (id === null) throw new Refusal(`Name the installation by the label ${INSTALLATION_LABEL}`)
  return JSON.stringify({
    ...filters,
    label: [...new Set([...labels, `${INSTALLATION_LABEL}=${id}`])],
  })
}

/** Accepts lists of strings by name; the engine also knows another form, which no client needs. */
function parsed(text: string | undefined): Record<string, string[]> {
  let filters: unknown
  try {
    filters = JSON.parse(text || '{}')
  } catch {
    throw new Refusal('The filters are no JSON', 400)
  }
  const isList = (value: unknown) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string')
  if (!isObject(filters) || !Object.values(filters).every(isList)) {
    throw new Refusal('The filters must be lists of texts', 400)
  }
  return filters as Record<string, string[]>
}
