import { ref, watch, type Ref } from 'vue'
import { api } from '~/api/client'
import type { Listed } from '~/api/shapes'
import { existingPage } from '~/composables/existing_page'
import { useResource } from '~/composables/use_resource'

/** List filters; undefined values do not filter. */
export type Filter = Record<string, string | undefined>

/** Paged list of the API. A new filter starts at the first page. */
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

  const resource = useResource<Listed<Item>>(() => existingPage(page, load))

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
