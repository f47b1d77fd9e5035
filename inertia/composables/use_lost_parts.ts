import { onScopeDispose } from 'vue'
import { useToast } from '@nuxt/ui/composables'
import { confirmation } from '~/composables/use_confirmation'
import { t } from '~/locales'

/**
 * Tells the user that a part of the page cannot be loaded, and offers to reload: after an upgrade, the server no longer
 * has the parts of a page that was open before. An action that waits for a dialog fails if the dialog cannot open.
 */
export function useLostParts() {
  const toast = useToast()

  function onLost() {
    confirmation.value?.settle(false)
    toast.add({
      id: 'lost-part',
      title: t('failure.partLost'),
      description: t('failure.partLostHint'),
      icon: 'i-lucide-circle-alert',
      color: 'error',
      duration: 0,
      actions: [
        {
          label: t('failure.reload'),
          color: 'neutral',
          variant: 'outline',
          onClick: () => location.reload(),
        },
      ],
    })
  }
  addEventListener('vite:preloadError', onLost)
  onScopeDispose(() => removeEventListener('vite:preloadError', onLost))
}
