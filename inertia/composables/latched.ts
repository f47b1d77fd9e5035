import { ref, watch, type Ref } from 'vue'

/** Returns whether a condition has ever been true: for an input that may have the focus when it no longer is. */
export function latched(condition: () => boolean): Ref<boolean> {
  const has = ref(false)
  watch(condition, (now) => (has.value ||= now), { immediate: true })
  return has
}
