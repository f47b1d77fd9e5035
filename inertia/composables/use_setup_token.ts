import { ref } from 'vue'
import { stored } from '~/composables/use_draft'
import { readdress } from '~/own_history'

const KEPT_AS = 'mosaic.setupToken'

/**
 * Token of the setup link. Removed from the address and the document at once, to keep it out of the history,
 * bookmarks and referrers. A reload of this tab still has it.
 */
export function useSetupToken() {
  const address = new URL(location.href)
  const given =
    address.searchParams.get('token') ?? new URLSearchParams(address.hash.slice(1)).get('token')
  if (given) {
    stored(() => sessionStorage.setItem(KEPT_AS, given))
    address.searchParams.delete('token')
    address.hash = ''
    readdress(address.pathname + address.search)
    document.querySelector('script[data-page]')?.remove()
  }
  const token = ref(given ?? stored(() => sessionStorage.getItem(KEPT_AS)) ?? '')

  /** The token works once: forget it afterwards. */
  function spend() {
    stored(() => sessionStorage.removeItem(KEPT_AS))
    token.value = ''
  }

  return { token, found: ref(Boolean(token.value)), spend }
}
