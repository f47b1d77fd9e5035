import { router, usePage } from '@inertiajs/vue3'
import { reloadForAnother } from '~/composables/use_leaving'

/**
 * Inertia keeps every page in the browser's history and restores it from there. After a sign-out, going back
 * would show the former user's page; instead, another user's page is reloaded from the server. Inertia's
 * history encryption needs https and shows nothing without it.
 */
export function keepHistoryToItsUser() {
  /** The loaded document comes from the server and is newer than the stored page. */
  history.replaceState(null, '')

  addEventListener(
    'popstate',
    (event) => {
      const kept = event.state?.page
      if (!kept || kept.props.user?.id === usePage().props.user?.id) return
      event.stopImmediatePropagation()
      reloadForAnother()
    },
    { capture: true }
  )
}

/**
 * Sets the address of the current page at once. On a busy machine Inertia does so some hundred milliseconds
 * later, and not at all if another visit comes first; a reload until then would open the old address.
 */
export function readdress(url: string) {
  history.replaceState(history.state, '', url)
  router.replace({ url, preserveState: true, preserveScroll: true })
}
