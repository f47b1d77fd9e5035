import { ref, watch, type Ref } from 'vue'

const KEY = 'mosaic.draft.'

/** Reads or writes this tab's session storage. A browser that refuses storage is not an error. */
export function stored<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** Draft of each conversation of a user, kept across reloads and navigation. Tabs are shared, drafts are not. */
export function useDraft(conversation: Ref<string | null>, userId: string) {
  const keyOf = (id: string | null) => `${KEY}${userId}.${id ?? 'new'}`
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
