import { computed, ref, watch } from 'vue'
import type { Listed } from '~/api/shapes'
import { existingPage } from '~/composables/existing_page'
import { useResource } from '~/composables/use_resource'
import { useTypingPause } from '~/composables/use_typing_pause'

/** Entries per page, and matches of a search. */
const LIMIT = 20

/** Where the entries come from. */
export interface SearchedList<Entry> {
  list(page: { page: number; limit: number }): Promise<Listed<Entry>>
  search(query: string, limit: number): Promise<Entry[]>
}

/** Returns a list by pages, or the best matches while `term` has words. */
export function useSearchedList<Entry>({ list, search }: SearchedList<Entry>) {
  const page = ref(1)
  const term = ref('')
  const resource = useResource<Listed<Entry>>(async () => {
    const query = term.value.trim()
    if (!query) return existingPage(page, (at) => list({ page: at, limit: LIMIT }))
    const data = await search(query, LIMIT)
    return { data, meta: { total: data.length, page: 1, limit: LIMIT, totalPages: 1 } }
  })
  watch(page, resource.reload)
  const typing = useTypingPause(resource.reload)
  watch(term, typing.restart)
  /** Whether an empty list means that the search has no match. */
  const isSearched = computed(() => term.value.trim() !== '')
  return { page, term, isSearched, ...resource }
}
