import { computed, ref, watch, type Ref } from 'vue'
import { api } from '~/api/client'
import type { Listed } from '~/api/shapes'
import { useResource } from '~/composables/use_resource'

/** What narrows a list; what is undefined does not. */
export type Filter = Record<string, string | undefined>

/**
 * A list of the API, page by page. Another filter begins at the first page; when the page shown has
 * become empty because the list is shorter now, the last one that there is takes its place.
 */
export function useAdminList<Item>(path: string, filter: Ref<Filter> = ref({})) {
  const page = ref(1)
  const load = (at: number) => api.list<Item>(path, { ...filter.value, page: at })

  const resource = useResource<Listed<Item>>(async () => {
    const loaded = await load(page.value)
    const last = Math.max(1, loaded.meta.totalPages)
    if (loaded.data.length > 0 || page.value <= last) return loaded
    page.value = last
    return load(last)
  })

  /** Which page the list has; asking for it again after the above would be for nothing. */
  const shown = computed(() => resource.value.value?.meta.page)
  watch(page, (at) => at !== shown.value && void resource.reload())
  watch(filter, () => {
    if (page.value === 1) void resource.reload()
    else page.value = 1
  })
  return { ...resource, page }
}
