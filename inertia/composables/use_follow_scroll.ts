import { nextTick, onMounted, onScopeDispose, ref, watch, type Ref } from 'vue'

/** Distance from the end, in pixels, that still counts as the end. */
const NEAR_PX = 80

/**
 * Keeps the end of a growing list in view until the user scrolls up, and then what the user sees, also when earlier
 * items appear above it.
 *
 * @param first ID of the list's first item; undefined for an empty list
 */
export function useFollowScroll(
  viewport: Ref<HTMLElement | null>,
  first: () => string | undefined
) {
  const following = ref(true)
  let observer: ResizeObserver | undefined

  function onScroll() {
    const element = viewport.value
    if (!element) return
    following.value = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX
  }

  function toEnd() {
    following.value = true
    void nextTick(() => viewport.value?.scrollTo({ top: viewport.value.scrollHeight }))
  }

  /** Browsers keep it themselves, but not at the very top, where "Show earlier messages" is. */
  watch(first, (now, before) => {
    const element = viewport.value
    if (!element || now === undefined || before === undefined) return
    const fromEnd = element.scrollHeight - element.scrollTop
    void nextTick(() => (element.scrollTop = element.scrollHeight - fromEnd))
  })

  onMounted(() => {
    const element = viewport.value
    if (!element) return
    element.addEventListener('scroll', onScroll, { passive: true })
    observer = new ResizeObserver(() => {
      if (following.value) element.scrollTop = element.scrollHeight
    })
    observer.observe(element)
    if (element.firstElementChild) observer.observe(element.firstElementChild)
  })
  onScopeDispose(() => observer?.disconnect())

  return { following, toEnd }
}
