import { computed, ref, shallowRef } from 'vue'
import { api, ApiFailure, sessionEnded } from '~/api/client'
import { onSilence } from '~/composables/silence'
import type { AgentState, AgentStatus, AgentView, WakeProgress } from '~/api/shapes'

/** The agent's state in words for users. */
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

/** Delay after which a background tab closes its stream, so that many tabs do not hold many streams. */
const HIDDEN_MS = 30_000
/**
 * Delay before reconnecting after a refusal; the browser reconnects by itself only after a broken connection.
 */
const RETRY_MS = 5_000

/** Pause after a refused start: each key press would ask again. */
const THAW_AGAIN_MS = 30_000

const view = shallowRef<AgentView>()
const progress = shallowRef<WakeProgress & { at: number }>()
const failure = shallowRef<ApiFailure>()
/** How the latest settings reached the agent; a new object for each report. */
const settingsTold = shallowRef<{ outcome: string }>()
/** The event stream is broken: the state shown may be out of date. */
const stale = ref(false)

/**
 * Number of states received from the stream. The stream is ordered; a response may be outdated when it
 * arrives.
 */
let told = 0
let source: EventSource | undefined
let endWatch = () => {}
let users = 0
let thawing = false
let thawAgainAt = 0
let timer: ReturnType<typeof setTimeout> | undefined

function takeView(next: AgentView) {
  view.value = next
  failure.value = undefined
  if (next.status !== 'starting') progress.value = undefined
}

/** Applies the state from a response, unless the stream has sent a newer one meanwhile. */
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
  endWatch()
}

function open() {
  clearTimeout(timer)
  if (source || !users || document.hidden) return
  source = new EventSource('/api/v1/agent/events')
  endWatch = onSilence(source, ['heartbeat'], () => {
    stale.value = true
    close()
    open()
  })
  source.addEventListener('open', () => {
    stale.value = false
    /** The stream starts with the agent's state only; earlier settings outcomes are not repeated. */
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
    /** The error does not say why the stream was refused; a request does, if the session has ended. */
    void refresh().then(() => {
      if (!sessionEnded.value) timer = setTimeout(open, RETRY_MS)
    })
  })
}

function takeProgress(step: WakeProgress) {
  /** The answer's stream may report a wake after the event stream has reported its end. */
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
 * Wakes a resting agent on a user's activity, before they send a message. This is cheap, and the agent rests
 * again if unused. A stopped agent waits for the chat page.
 */
async function thaw() {
  if (thawing || Date.now() < thawAgainAt || view.value?.status !== 'resting' || document.hidden)
    return
  thawing = true
  await act('start').catch(() => (thawAgainAt = Date.now() + THAW_AGAIN_MS))
  thawing = false
}

/** Starts watching the agent; the returned function stops it. Called once, by the page frame. */
function watchAgent(): () => void {
  users++
  if (users === 1) {
    document.addEventListener('visibilitychange', onVisibility)
    /** A user who starts typing after a pause sends within seconds. */
    document.addEventListener('keydown', thaw)
    window.addEventListener('focus', thaw)
    void refresh().then(thaw)
    open()
  }
  return () => {
    users--
    if (users) return
    document.removeEventListener('visibilitychange', onVisibility)
    document.removeEventListener('keydown', thaw)
    window.removeEventListener('focus', thaw)
    clearTimeout(timer)
    close()
    /** The next user to sign in in this tab has another agent. */
    view.value = progress.value = failure.value = settingsTold.value = undefined
  }
}

async function act(verb: 'start' | 'stop' | 'restart' | 'keep-awake') {
  await takeAnswer(api.post<AgentView>(`/agent/${verb}`))
}

/** The signed-in user's agent: one state per page, updated by server events. */
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
