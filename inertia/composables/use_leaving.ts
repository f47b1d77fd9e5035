import { computed, onScopeDispose, ref, shallowReactive, shallowRef, watch } from 'vue'
import { router } from '@inertiajs/vue3'

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

/** Leads out. What takes longer returns a promise that settles once it is over, even if nobody has left. */
type Way = () => unknown

/** The loss that the dialog asks about, and how to proceed once confirmed. */
export const question = shallowRef<{ loss: Loss; go: Way }>()
export const asking = ref(false)

/** Confirmed once; holds until its way is over, there is nothing left to lose, or something else. */
let agreed: typeof question.value
watch(loss, () => (agreed = undefined), { flush: 'sync' })

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

/** Somebody else is signed in. */
let isOver = false

export const mustAsk = () => loss.value !== undefined && !agreed && !isOver

/** Loads the page again for another user, unasked: who stayed would write as that user. */
export function reloadForAnother() {
  isOver = true
  location.reload()
}

/** Visits a page. The promise resolves once that is over, even if the page could not be read. */
export const arrive = (url: URL | string, options: { replace: boolean }) =>
  new Promise<void>((resolve) => router.visit(url, { ...options, onFinish: () => resolve() }))

/** Proceeds at once, or after the user has accepted the loss. */
export function leave(go: Way) {
  if (!mustAsk()) return void go()
  question.value = { loss: loss.value!, go }
  asking.value = true
}

export async function agree() {
  asking.value = false
  void follow(question.value!)
}

async function follow(way: NonNullable<typeof agreed>) {
  agreed = way
  try {
    await way.go()
  } finally {
    if (agreed === way) agreed = undefined
  }
}
