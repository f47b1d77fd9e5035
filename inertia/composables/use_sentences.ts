import { ref, watch, type WatchSource } from 'vue'

const END_OF_SENTENCE = /[.!?:](\s|$)|\n/g

/**
 * Passes streamed text on in whole sentences, for screen readers. The rest follows when the text is complete.
 */
export function useSentences(text: WatchSource<string>, complete: WatchSource<boolean>) {
  const spoken = ref('')
  let said = 0

  watch([text, complete], ([now, whole]) => {
    if (now.length < said) said = 0
    let end = said
    if (whole) end = now.length
    else for (const match of now.slice(said).matchAll(END_OF_SENTENCE)) end = said + match.index + 1
    if (end === said) return
    spoken.value = now.slice(said, end).trim()
    said = end
  })

  return spoken
}
