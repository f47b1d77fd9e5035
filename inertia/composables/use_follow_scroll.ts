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
  /** `scrollTop` that is known of. Only a lower one is the user's. */
  let known = 0

  function onScroll() {
    const element = viewport.value
    if (!element) return
    const isUp = element.scrollTop < known
    known = element.scrollTop
    const isNear = element.scrollHeight - known - element.clientHeight < NEAR_PX
    /** The list may have grown since the page itself scrolled to its end. */
    if (isNear || isUp) following.value = isNear
  }

  function scrollTo(top: number) {
    const element = viewport.value
    if (!element) return
    element.scrollTop = top
    known = element.scrollTop
  }
  const scrollToEnd = () => scrollTo(viewport.value?.scrollHeight ?? 0)

  function toEnd() {
    following.value = true
    void nextTick(scrollToEnd)
  }

  /** Browsers keep it themselves, but not at the very top, where "Show earlier messages" is. */
  watch(first, (now, before) => {
    const element = viewport.value
    if (!element || now === undefined || before === undefined) return
    const fromEnd = element.scrollHeight - element.scrollTop
    void nextTick(() => scrollTo(element.scrollHeight - fromEnd))
  })

  onMounted(() => {
    const element = viewport.value
    if (!element) return
    element.addEventListener('scroll', onScroll, { passive: true })
    observer = new ResizeObserver(() => {
      if (following.value) scrollToEnd()
    })
    observer.observe(element)
    if (element.firstElementChild) observer.observe(element.firstElementChild)
  })
  onScopeDispose(() => observer?.disconnect())

  return { following, toEnd }
}
