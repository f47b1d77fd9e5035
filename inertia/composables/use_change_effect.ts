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
}

/** What saved settings will do to the agent, are doing to it, and have done. */
export function useChangeEffect() {
  const { mood, settingsTold } = useAgent()
  const phase = ref<Phase>('before')
  /** Told before the answer to the request was here. */
  let early: Phase | undefined

  const isUp = () => mood.value !== undefined && !['asleep', 'trouble'].includes(mood.value)

  /** Call it when a change was saved. */
  function follow() {
    phase.value = early ?? (isUp() ? 'waiting' : 'done')
    early = undefined
  }

  /** Call it when something is changed anew. */
  function begin() {
    phase.value = 'before'
    early = undefined
  }

  watch(settingsTold, (told) => {
    const next = told && PHASES[told.outcome]
    if (!next) return
    if (phase.value === 'waiting' || phase.value === 'restarting') phase.value = next
    else early = next
  })

  const text = computed(() => {
    if (phase.value === 'before') return t(`settings.effects.${isUp() ? 'restarts' : 'asleep'}`)
    return t(`settings.effects.${phase.value}`)
  })

  return { phase, text, follow, begin }
}
