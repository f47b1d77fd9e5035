import { ref, watch, type Ref } from 'vue'
import { api } from '~/api/client'
import type { Listed } from '~/api/shapes'
import { useResource } from '~/composables/use_resource'

/** What narrows a list; what is undefined does not. */
export type Filter = Record<string, string | undefined>

/**
 * A list of the API, page by page. Another filter begins at the first page; when the page shown has
 * become empty because the list is shorter now, the last one that there is takes its place.
 */
export function useAdminList<Item extends { id: string }>(
  path: string,
  filter: Ref<Filter> = ref({})
) {
  const page = ref(1)
  /** Which page was asked for last: asking for it again would be for nothing. */
  let asked = 1
  const load = (at: number) => {
    asked = at
    return api.list<Item>(path, { ...filter.value, page: at })
  }

  const resource = useResource<Listed<Item>>(async () => {
    const loaded = await load(page.value)
    const last = Math.max(1, loaded.meta.totalPages)
    if (loaded.data.length > 0 || page.value <= last) return loaded
    page.value = last
    return load(last)
  })

  watch(page, (at) => at !== asked && void resource.reload())
  watch(filter, () => {
    if (page.value === 1) void resource.reload()
    else page.value = 1
  })

  /** Takes over what is told of one of the rows. */
  function amendRow(told: Partial<Item> & { id: string }) {
    resource.amend(({ data, meta }) => ({
      data: data.map((row) => (row.id === told.id ? { ...row, ...told } : row)),
      meta,
    }))
  }
  return { ...resource, page, amendRow }
}
