import { onScopeDispose, ref } from 'vue'

/** What this page needs of a browser's speech recogniser. */
interface Recogniser {
  lang: string
  continuous: boolean
  interimResults: boolean
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }>> }) => void) | null
  onerror: ((event: { error: string }) => void) | null
  onend: (() => void) | null
  start(): void
  stop(): void
}
type Recognisers = Record<string, (new () => Recogniser) | undefined>

/** Errors that are the user's own doing: silence, or a click on stop. */
const QUIET = new Set(['aborted', 'no-speech'])

/** Returns the browser's recogniser, if it has one. It offers none outside https and localhost. */
function recogniserOf(view: object) {
  const { SpeechRecognition, webkitSpeechRecognition } = view as Recognisers
  return isSecureContext ? (SpeechRecognition ?? webkitSpeechRecognition) : undefined
}

/**
 * Dictates with the browser's own recogniser. Mosaic gets no sound; some browsers send it to their maker.
 *
 * @param say receives all words since the start, again and again as they become clearer
 * @param fail called if the browser refuses, e.g. without a microphone
 */
export function useDictation(say: (words: string) => void, fail: () => void) {
  const Recogniser = recogniserOf(window)
  const listening = ref(false)
  let recogniser: Recogniser | undefined

  function start() {
    if (!Recogniser || listening.value) return
    const mine = (recogniser = new Recogniser())
    /** A former recogniser may end after the next one has begun. */
    const isCurrent = () => listening.value && recogniser === mine
    mine.lang = navigator.language
    mine.continuous = true
    mine.interimResults = true
    mine.onresult = ({ results }) => {
      if (!isCurrent()) return
      say(Array.from(results, (heard) => heard[0].transcript.trim()).join(' '))
    }
    mine.onerror = ({ error }) => void (QUIET.has(error) || !isCurrent() || fail())
    mine.onend = () => void (isCurrent() && (listening.value = false))
    listening.value = true
    try {
      mine.start()
    } catch {
      listening.value = false
      fail()
    }
  }

  function stop() {
    listening.value = false
    recogniser?.stop()
  }

  onScopeDispose(stop)
  return { available: Recogniser !== undefined, listening, start, stop }
}
