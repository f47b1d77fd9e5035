import { INSTALLATION_LABEL, type Installation } from '#socket_proxy/installation'
import { Refusal } from '#socket_proxy/refusal'
import { isObject } from '#socket_proxy/shape'

/**
 * The filters of a list or of events, with the installation's label among them whatever was asked for: what
 * others have on the engine is not told. Filters of different labels all have to hold.
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

/** Lists of texts under names; the engine knows another form too, which nobody needs. */
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
