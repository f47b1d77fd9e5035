import { onMounted, onScopeDispose, ref, watch } from 'vue'
import { useToast } from '@nuxt/ui/composables'
import { api } from '~/api/client'
import { conversationPath } from '~/api/conversations'
import { useNotices } from '~/composables/use_notices'
import { t } from '~/locales'

/** How long a deletion can be undone, in milliseconds. Its notice waits while somebody points at it. */
const UNDO_MS = 8000

/** How long a deletion waits at most, in milliseconds: notices stay for as long as the window lacks the focus. */
const LONGEST_MS = 60_000

/**
 * Deletes conversations once the notice that offers to undo it has gone, because the agent forgets for good. A page
 * that is left or hidden deletes at once: browsers end hidden pages without a word.
 */
export function useUndoableDelete(onDeleted: () => void) {
  const toast = useToast()
  const { attempt } = useNotices()
  /** Ids that are no longer shown. */
  const hidden = ref(new Set<string>())
  /** Conversations to delete, by the id of their notice. */
  const pending = new Map<string | number, string>()

  function remove(id: string, name: string) {
    if (hidden.value.has(id)) return
    hidden.value.add(id)
    const notice = toast.add({
      title: t('chat.deleted', { title: name }),
      icon: 'i-lucide-trash-2',
      color: 'neutral',
      duration: UNDO_MS,
      actions: [
        { label: t('undo'), color: 'neutral', variant: 'outline', onClick: () => undo(notice.id) },
      ],
    })
    pending.set(notice.id, id)
    setTimeout(() => void commit(notice.id), LONGEST_MS)
  }

  function undo(notice: string | number) {
    const id = pending.get(notice)
    if (id !== undefined && pending.delete(notice)) hidden.value.delete(id)
  }

  async function commit(notice: string | number) {
    const id = pending.get(notice)
    if (id === undefined) return
    pending.delete(notice)
    toast.remove(notice)
    const isDeleted = await attempt(() => api.delete(conversationPath(id)))
    if (!isDeleted) hidden.value.delete(id)
    onDeleted()
  }

  /** A notice may also go because newer ones replace it. */
  const shown = () => toast.toasts.value.flatMap(({ id, open }) => (open ? id : []))
  watch(shown, (now, before) => {
    for (const notice of before) if (!now.includes(notice)) void commit(notice)
  })

  const commitAll = () => [...pending.keys()].forEach((notice) => void commit(notice))
  const onVisibility = () => document.visibilityState === 'hidden' && commitAll()
  onMounted(() => {
    addEventListener('pagehide', commitAll)
    document.addEventListener('visibilitychange', onVisibility)
  })
  onScopeDispose(() => {
    removeEventListener('pagehide', commitAll)
    document.removeEventListener('visibilitychange', onVisibility)
    commitAll()
  })

  return { hidden, remove }
}
