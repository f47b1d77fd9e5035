import { computed, onScopeDispose, ref, shallowReactive, shallowRef, watch } from 'vue'

/** What leaving can cost: entries that are not saved, or the rest of an answer that still comes. */
export type Loss = 'changes' | 'answer'

/** Each tells what would be lost of its own at this moment. */
const watched = shallowReactive(new Set<() => Loss | undefined>())
const loss = computed(() => {
  for (const loses of watched) {
    const lost = loses()
    if (lost) return lost
  }
})

/** What the dialog asks about, and the way that is taken once it is agreed to. */
export const question = shallowRef<{ loss: Loss; go: () => void }>()
export const asking = ref(false)

/** Asked once: it holds until there is nothing to lose any more. */
let agreed = false
watch(loss, (now) => now ?? (agreed = false), { flush: 'sync' })

/** Has people asked before they leave, for as long as `loses` names something. */
export function askBeforeLosing(loses: () => Loss | undefined) {
  watched.add(loses)
  onScopeDispose(() => watched.delete(loses))
}

/** For a form's element: true once a person has typed there. Choices of the kit tell of their own value as well. */
export function useTyped() {
  const typed = ref(false)
  const onInput = ({ isTrusted }: Event) => void (typed.value ||= isTrusted)
  return { typed, onInput }
}

export const mustAsk = () => loss.value !== undefined && !agreed

/** Goes at once, or once its reader has agreed to what is lost by it. */
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
