import { onScopeDispose, watch } from 'vue'
import { reloadForAnother } from '~/composables/use_leaving'

const CHANNEL = 'mosaic.user'

/**
 * The tabs of a browser share a session. Tells the others who is signed in here, and loads this page again when another
 * tab tells of somebody else: it would show the former user's page, and send what they write as the new one.
 */
export function useOneUser(userId: () => string | undefined) {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = ({ data }) => {
    if (data !== userId()) reloadForAnother()
  }
  watch(userId, (id) => id && channel.postMessage(id), { immediate: true })
  onScopeDispose(() => channel.close())
}
