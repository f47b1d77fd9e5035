import { onMounted, onScopeDispose, ref } from 'vue'
import { useToast } from '@nuxt/ui/composables'
import { api } from '~/api/client'
import { conversationPath } from '~/api/conversations'
import { useNotices } from '~/composables/use_notices'
import { t } from '~/locales'

/** How long a deletion can be undone, in milliseconds. */
const UNDO_MS = 8000

/**
 * Deletes conversations a few seconds after they were hidden, because the agent forgets for good. A page that
 * is left deletes at once.
 */
export function useUndoableDelete(onDeleted: () => void) {
  const toast = useToast()
  const { attempt } = useNotices()
  /** Ids that are no longer shown. */
  const hidden = ref(new Set<string>())
  const pending = new Map<string, ReturnType<typeof setTimeout>>()

  function remove(id: string, name: string) {
    if (pending.has(id)) return
    hidden.value.add(id)
    pending.set(
      id,
      setTimeout(() => void commit(id), UNDO_MS)
    )
    toast.add({
      id: `delete-${id}`,
      title: t('chat.deleted', { title: name }),
      icon: 'i-lucide-trash-2',
      color: 'neutral',
      duration: UNDO_MS,
      actions: [
        { label: t('undo'), color: 'neutral', variant: 'outline', onClick: () => undo(id) },
      ],
    })
  }

  function undo(id: string) {
    clearTimeout(pending.get(id))
    if (pending.delete(id)) hidden.value.delete(id)
  }

  async function commit(id: string) {
    clearTimeout(pending.get(id))
    if (!pending.delete(id)) return
    const isDeleted = await attempt(() => api.delete(conversationPath(id)))
    if (!isDeleted) hidden.value.delete(id)
    onDeleted()
  }

  const commitAll = () => [...pending.keys()].forEach((id) => void commit(id))
  onMounted(() => addEventListener('pagehide', commitAll))
  onScopeDispose(() => {
    removeEventListener('pagehide', commitAll)
    commitAll()
  })

  return { hidden, remove }
}
