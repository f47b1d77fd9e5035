import { ref } from 'vue'
import { readdress } from '~/own_history'

const KEPT_AS = 'mosaic.setupToken'

/**
 * The token of the setup link. It is taken out of the address and the document at once, so that neither
 * the history, a bookmark nor a referrer keeps it; a reload of this tab still knows it.
 */
export function useSetupToken() {
  const address = new URL(location.href)
  const given =
    address.searchParams.get('token') ?? new URLSearchParams(address.hash.slice(1)).get('token')
  if (given) {
    sessionStorage.setItem(KEPT_AS, given)
    address.searchParams.delete('token')
    address.hash = ''
    readdress(address.pathname + address.search)
    document.querySelector('script[data-page]')?.remove()
  }
  const token = ref(given ?? sessionStorage.getItem(KEPT_AS) ?? '')

  /** The token works once: after that nothing keeps it. */
  function spend() {
    sessionStorage.removeItem(KEPT_AS)
    token.value = ''
  }

  return { token, found: ref(Boolean(token.value)), spend }
}
