import { useToast } from '@nuxt/ui/composables'
import { ApiFailure } from '~/api/client'

/** Short notices about completed or failed actions. */
export function useNotices() {
  const toast = useToast()
  const done = (title: string, description?: string) =>
    toast.add({ title, description, icon: 'i-lucide-check', color: 'success' })

  const failed = (title: string, description?: string) =>
    toast.add({ title, description, icon: 'i-lucide-circle-alert', color: 'error' })

  /** Runs a one-click action and shows its error. Returns true on success. */
  async function attempt(act: () => Promise<unknown>, said?: string): Promise<boolean> {
    try {
      await act()
      if (said) done(said)
      return true
    } catch (error) {
      const { message, hint } = ApiFailure.from(error)
      failed(message, hint)
      return false
    }
  }

  return { done, failed, attempt }
}
