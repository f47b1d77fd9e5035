import { ref, watch, type Ref } from 'vue'

const KEY = 'mosaic.draft.'

/** Drafts of this tab alone: they end with it. A browser that keeps nothing for us is no failure. */
function stored<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** What is being written, kept for each conversation over a reload and a visit elsewhere. */
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
