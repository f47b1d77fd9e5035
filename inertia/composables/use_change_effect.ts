import { computed, ref, watch } from 'vue'
import { useAgent } from '~/composables/use_agent'
import { t } from '~/locales'

type Phase = 'before' | 'waiting' | 'restarting' | 'done' | 'unneeded' | 'trouble'

/** What the server tells of new settings, in the words of this page. */
const PHASES: Record<string, Phase> = {
  unchanged: 'unneeded',
  asleep: 'done',
  applied: 'done',
  restarting: 'restarting',
  restarted: 'done',
  no_provider: 'trouble',
  failed: 'trouble',
  unheard: 'before',
}

/** What saved settings will do to the agent, are doing to it, and have done. */
export function useChangeEffect() {
  const { mood, settingsTold } = useAgent()
  const phase = ref<Phase>('before')
  /** What was told since a change was sent, maybe before the answer to it. */
  let latest: Phase | undefined

  const isUp = () => mood.value !== undefined && !['asleep', 'trouble'].includes(mood.value)

  /** Call it when a change is sent. */
  function expect() {
    latest = undefined
  }

  /** Call it when a change was saved. */
  function follow() {
    phase.value = latest ?? (isUp() ? 'waiting' : 'done')
  }

  /** Call it when something is changed anew. */
  function begin() {
    phase.value = 'before'
  }

  watch(settingsTold, (told) => {
    const next = told && PHASES[told.outcome]
    if (!next) return
    /** What has ended stays so, whatever was not heard afterwards. */
    if (next === 'before' && !['waiting', 'restarting'].includes(phase.value)) return
    latest = next
    if (phase.value !== 'before') phase.value = next
  })

  const text = computed(() => {
    if (phase.value === 'before') return t(`settings.effects.${isUp() ? 'restarts' : 'asleep'}`)
    return t(`settings.effects.${phase.value}`)
  })

  return { phase, text, expect, follow, begin }
}
