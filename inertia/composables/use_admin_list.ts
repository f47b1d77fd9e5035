import { ref, watch, type Ref } from 'vue'
import { api } from '~/api/client'
import type { Listed } from '~/api/shapes'
import { useResource } from '~/composables/use_resource'

/** List filters; undefined values do not filter. */
export type Filter = Record<string, string | undefined>

/**
 * Paged list of the API. A new filter starts at the first page. If the current page is empty because the list
 * shrank, the last page replaces it.
 */
export function useAdminList<Item extends { id: string }>(
  path: string,
  filter: Ref<Filter> = ref({})
) {
  const page = ref(1)
  /** Last requested page; avoids requesting it twice. */
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

  /** Merges new values into one row. */
  function amendRow(told: Partial<Item> & { id: string }) {
    resource.amend(({ data, meta }) => ({
      data: data.map((row) => (row.id === told.id ? { ...row, ...told } : row)),
      meta,
    }))
  }
  return { ...resource, page, amendRow }
}
