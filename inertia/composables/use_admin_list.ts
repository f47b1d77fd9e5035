import { ref, watch } from 'vue'
import { api } from '~/api/client'
import type { Listed } from '~/api/shapes'
import { useResource } from '~/composables/use_resource'

/** A list of the API, page by page. */
export function useAdminList<Item>(path: string) {
  const page = ref(1)
  const resource = useResource<Listed<Item>>(() => api.list<Item>(path, { page: page.value }))
  watch(page, () => void resource.reload())
  return { ...resource, page }
}
