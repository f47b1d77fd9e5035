import { ref, watch, type Ref } from 'vue'

const KEY = 'mosaic.draft.'

/** Reads or writes this tab's session storage. A browser that refuses storage is not an error. */
function stored<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** Draft of each conversation, kept across reloads and navigation. */
export function useDraft(conversation: Ref<string | null>) {
  const keyOf = (id: string | null) => KEY + (id ?? 'new')
  const read = () => stored(() => sessionStorage.getItem(keyOf(conversation.value))) ?? ''
  const draft = ref(read())

  watch(conversation, () => (draft.value = read()), { flush: 'sync' })
  watch(
    draft,
    (text) =>
      stored(() => {
        const key = keyOf(conversation.value)
        if (text) sessionStorage.setItem(key, text)
        else sessionStorage.removeItem(key)
      }),
    { flush: 'sync' }
  )
  return draft
}
