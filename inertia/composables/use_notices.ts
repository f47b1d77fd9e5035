import { useToast } from '@nuxt/ui/composables'
import { ApiFailure } from '~/api/client'

/** Short notices of what was done, or why not. */
export function useNotices() {
  const toast = useToast()
  const done = (title: string, description?: string) =>
    toast.add({ title, description, icon: 'i-lucide-check', color: 'success' })

  const failed = (title: string, description?: string) =>
    toast.add({ title, description, icon: 'i-lucide-circle-alert', color: 'error' })

  /** Runs an act of one click; says what went wrong. True when it was done. */
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
