import { onScopeDispose } from 'vue'

const CHANNEL = 'mosaic.chat'

type TurnState = 'begun' | 'ended'

/** Tells this browser's other tabs when an answer starts or ends, and listens for theirs. */
export function useChatTabs(hear: (conversation: string, state: TurnState) => void) {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = ({ data }) => hear(data.conversation, data.state)
  onScopeDispose(() => channel.close())

  return {
    tell: (conversation: string, state: TurnState) => channel.postMessage({ conversation, state }),
  }
}
