import { ref, watch } from 'vue'
import { router, usePage } from '@inertiajs/vue3'
import { readdress } from '~/own_history'

export const addressOf = (id: string) => `/chat/${encodeURIComponent(id)}`

/** Returns the conversation ID in an address, or null for a new one. */
const idIn = (url: string) => decodeURIComponent(url.split(/[?#]/)[0].split('/')[2] ?? '') || null

/** Conversation in the chat page's address; null for a new one. */
export function useConversationAddress() {
  const page = usePage()
  const addressed = ref(idIn(page.url))
  watch(
    () => page.url,
    (url) => (addressed.value = idIn(url))
  )

  const visit = (url: string) => router.push({ url, preserveState: true, preserveScroll: true })

  /** Takes effect at once: what is written and picked before Inertia follows belongs to the new address. */
  function replace(url: string) {
    addressed.value = idIn(url)
    readdress(url)
  }

  return { addressed, visit, replace }
}
