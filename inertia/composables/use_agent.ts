import { computed, ref, shallowRef } from 'vue'
import { api, ApiFailure, sessionEnded } from '~/api/client'
import type { AgentState, AgentStatus, AgentView, WakeProgress } from '~/api/shapes'

/** The agent's state in words a person uses. */
export type Mood = 'asleep' | 'waking' | 'awake' | 'resting' | 'fallingAsleep' | 'trouble'

const MOODS: Record<AgentStatus | AgentState, Mood> = {
  stopped: 'asleep',
  starting: 'waking',
  running: 'awake',
  suspended: 'resting',
  resting: 'resting',
  stopping: 'fallingAsleep',
  error: 'trouble',
}

export const moodOf = (status: AgentStatus | AgentState): Mood => MOODS[status] ?? 'trouble'

/** A tab in the background lets go of its stream after this, so that many tabs do not hold many. */
const HIDDEN_MS = 30_000
/** The browser reconnects by itself after a break, but not after a refusal. */
const RETRY_MS = 5_000

const view = shallowRef<AgentView>()
const progress = shallowRef<WakeProgress & { at: number }>()
const failure = shallowRef<ApiFailure>()
/** How the last new settings reached the agent: a new object each time it is told. */
const settingsTold = shallowRef<{ outcome: string }>()
/** The stream of events is broken: what is shown may be out of date. */
const stale = ref(false)

/** How often the stream has told the state. It tells in order; an answer may have been overtaken. */
let told = 0
let source: EventSource | undefined
let users = 0
let thawing = false
let timer: ReturnType<typeof setTimeout> | undefined

function takeView(next: AgentView) {
  view.value = next
  failure.value = undefined
  if (next.status !== 'starting') progress.value = undefined
}

/** Takes the state that a request answers, unless the stream has told a later one meanwhile. */
async function takeAnswer(request: Promise<AgentView | undefined>) {
  const before = told
  const answer = await request
  if (answer?.status && told === before) takeView(answer)
}

async function refresh() {
  try {
    await takeAnswer(api.get<AgentView>('/agent'))
  } catch (error) {
    failure.value = ApiFailure.from(error)
  }
}

function close() {
  source?.close()
  source = undefined
}

function open() {
  clearTimeout(timer)
  if (source || !users || document.hidden) return
  source = new EventSource('/api/v1/agent/events')
  source.addEventListener('open', () => {
    stale.value = false
    /** The stream begins with the agent's state alone: what became of settings before is not told again. */
    takeSettings({ outcome: 'unheard' })
  })
  source.addEventListener('status', (event) => {
    told++
    takeView(JSON.parse(event.data))
  })
  source.addEventListener('settings', (event) => takeSettings(JSON.parse(event.data)))
  source.addEventListener('progress', (event) => takeProgress(JSON.parse(event.data)))
  source.addEventListener('error', () => {
    stale.value = true
    if (source?.readyState !== EventSource.CLOSED) return
    close()
    /** Nothing says why it was refused; asking does, where it is the session that has ended. */
    void refresh().then(() => {
      if (!sessionEnded.value) timer = setTimeout(open, RETRY_MS)
    })
  })
}

function takeProgress(step: WakeProgress) {
  /** The stream of an answer may tell of a wake later than that of events has told its end. */
  if (view.value?.status === 'running' && !stale.value) return
  progress.value = step.stage === 'ready' ? undefined : { ...step, at: Date.now() }
  if (step.stage !== 'ready' && view.value && view.value.status !== 'starting') {
    view.value = { ...view.value, status: 'starting', reason: undefined }
  }
}

function takeSettings({ outcome }: { outcome: string }) {
  settingsTold.value = { outcome }
}

function onVisibility() {
  clearTimeout(timer)
  if (document.hidden) {
    timer = setTimeout(close, HIDDEN_MS)
  } else if (!source) {
    open()
    void refresh().then(thaw)
  } else {
    void thaw()
  }
}

/**
 * A person is here: an agent that rests comes back before they write. That costs little, and it rests again if they
 * do not. One that is stopped waits for the chat page.
 */
async function thaw() {
  if (thawing || view.value?.status !== 'resting' || document.hidden) return
  thawing = true
  await act('start').catch(() => {})
  thawing = false
}

/** Begins to watch; the returned function ends it. The page's frame does this once. */
function watchAgent(): () => void {
  users++
  if (users === 1) {
    document.addEventListener('visibilitychange', onVisibility)
    /** Whoever begins to write after a pause sends in some seconds. */
    document.addEventListener('keydown', thaw)
    void refresh().then(thaw)
    open()
  }
  return () => {
    users--
    if (users) return
    document.removeEventListener('visibilitychange', onVisibility)
    document.removeEventListener('keydown', thaw)
    clearTimeout(timer)
    close()
    /** Whoever signs in next in this tab has another one. */
    view.value = progress.value = failure.value = settingsTold.value = undefined
  }
}

async function act(verb: 'start' | 'stop' | 'restart' | 'keep-awake') {
  await takeAnswer(api.post<AgentView>(`/agent/${verb}`))
}

/** The signed-in person's agent: one state for the whole page, told by the server as it changes. */
export function useAgent() {
  const mood = computed(() => (view.value ? moodOf(view.value.status) : undefined))
  return {
    view,
    mood,
    progress,
    failure,
    stale,
    settingsTold,
    refresh,
    watchAgent,
    takeProgress,
    act,
  }
}
