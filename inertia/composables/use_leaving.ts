import { computed, onScopeDispose, ref, shallowReactive, shallowRef, watch } from 'vue'

/** What leaving would lose: unsaved input, the rest of a streaming answer, or queued messages. */
export type Loss = 'changes' | 'answer' | 'queue'

/** Each callback reports what its owner would lose now. */
const watched = shallowReactive(new Set<() => Loss | undefined>())
const loss = computed(() => {
  for (const loses of watched) {
    const lost = loses()
    if (lost) return lost
  }
})

/** The loss that the dialog asks about, and how to proceed once confirmed. */
export const question = shallowRef<{ loss: Loss; go: () => void }>()
export const asking = ref(false)

/** Confirmed once; holds until there is nothing left to lose, or something else. */
let agreed = false
watch(loss, () => (agreed = false), { flush: 'sync' })

/** Asks users before they leave, while `loses` returns a loss. */
export function askBeforeLosing(loses: () => Loss | undefined) {
  watched.add(loses)
  onScopeDispose(() => watched.delete(loses))
}

/** For a form element: true once a person has typed. The kit's selects report their value as well. */
export function useTyped() {
  const typed = ref(false)
  const onInput = ({ isTrusted }: Event) => void (typed.value ||= isTrusted)
  return { typed, onInput }
}

export const mustAsk = () => loss.value !== undefined && !agreed

/** Proceeds at once, or after the user has accepted the loss. */
export function leave(go: () => void) {
  if (!mustAsk()) return go()
  question.value = { loss: loss.value!, go }
  asking.value = true
}

export async function agree() {
  agreed = true
  asking.value = false
  question.value!.go()
}
