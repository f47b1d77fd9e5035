import type { Ref } from 'vue'
import type { Listed } from '~/api/shapes'

/** Loads the current page of a list. If it is empty because the list shrank, the last page replaces it. */
export async function existingPage<Item>(
  page: Ref<number>,
  load: (page: number) => Promise<Listed<Item>>
): Promise<Listed<Item>> {
  const loaded = await load(page.value)
  const last = Math.max(1, loaded.meta.totalPages)
  if (loaded.data.length > 0 || page.value <= last) return loaded
  page.value = last
  return load(last)
}
