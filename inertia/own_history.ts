import { router, usePage } from '@inertiajs/vue3'

/**
 * Inertia keeps every page in the browser's history, and shows it from there. Whoever goes back after a
 * sign-out would see whose page it was: so a page of somebody else is asked for anew, and the server
 * answers for whoever is there now. Inertia can encrypt the history, but where there is no https it
 * cannot, and shows nothing at all then.
 */
export function keepHistoryToItsUser() {
  /** What this document was loaded with is the server's word, and newer than what was kept. */
  history.replaceState(null, '')

  addEventListener(
    'popstate',
    (event) => {
      const kept = event.state?.page
      if (!kept || kept.props.user?.id === usePage().props.user?.id) return
      event.stopImmediatePropagation()
      location.reload()
    },
    { capture: true }
  )
}

/**
 * Gives the page that is shown another address, at once. Inertia alone sets it some hundred milliseconds later
 * on a busy machine, and not at all where another visit comes first: a reload until then would open the
 * former address.
 */
export function readdress(url: string) {
  history.replaceState(history.state, '', url)
  router.replace({ url, preserveState: true, preserveScroll: true })
}
