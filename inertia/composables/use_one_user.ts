import { onScopeDispose, watch } from 'vue'
import { reloadForAnother } from '~/composables/use_leaving'

const CHANNEL = 'mosaic.user'

/**
 * The tabs of a browser share a session. Tells the other tabs who is signed in, and reloads this page when another tab
 * reports a different user: this page would show the former user's data and act for the new one.
 */
export function useOneUser(userId: () => string | undefined) {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = ({ data }) => {
    if (data !== userId()) reloadForAnother()
  }
  watch(userId, (id) => id && channel.postMessage(id), { immediate: true })
  onScopeDispose(() => channel.close())
}
