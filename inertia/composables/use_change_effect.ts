import { computed, ref, watch } from 'vue'
import { useAgent } from '~/composables/use_agent'
import { t } from '~/locales'

type Phase = 'before' | 'waiting' | 'restarting' | 'done' | 'unneeded' | 'trouble'

/** Phases by the outcomes that the server reports. */
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

/** How saved settings will affect the agent, are affecting it, and have affected it. */
export function useChangeEffect() {
  const { mood, settingsTold } = useAgent()
  const phase = ref<Phase>('before')
  /** The phase reported since the change was sent, possibly before its response. */
  let latest: Phase | undefined

  const isUp = () => mood.value !== undefined && !['asleep', 'trouble'].includes(mood.value)

  /** Call when sending a change. */
  function expect() {
    latest = undefined
  }

  /** Call once a change is saved. */
  function follow() {
    phase.value = latest ?? (isUp() ? 'waiting' : 'done')
  }

  /** Call when the user edits again. */
  function begin() {
    phase.value = 'before'
  }

  watch(settingsTold, (told) => {
    const next = told && PHASES[told.outcome]
    if (!next) return
    /** A finished phase stays, even if later reports were missed. */
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
