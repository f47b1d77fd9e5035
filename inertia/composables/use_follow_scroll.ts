import { nextTick, onMounted, onScopeDispose, ref, type Ref } from 'vue'

/** This close to the end counts as being there. */
const NEAR_PX = 80

/**
 * Keeps the end of a growing list in view while its reader is there, and leaves them alone once they
 * have scrolled up.
 */
export function useFollowScroll(viewport: Ref<HTMLElement | null>) {
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
