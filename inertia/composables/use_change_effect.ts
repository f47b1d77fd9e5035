import { computed, onScopeDispose, ref, watch } from 'vue'
import { useAgent } from '~/composables/use_agent'
import { t } from '~/locales'

/** A change that asks for a restart has begun it by then, unless the agent is in the middle of an answer. */
const SETTLED_MS = 8_000

type Phase = 'before' | 'waiting' | 'restarting' | 'done' | 'unneeded' | 'trouble'

/** What saved settings will do to the agent, are doing to it, and have done. */
export function useChangeEffect() {
  const { mood } = useAgent()
  const phase = ref<Phase>('before')
  let timer: ReturnType<typeof setTimeout> | undefined

  const isUp = () => mood.value !== undefined && !['asleep', 'trouble'].includes(mood.value)

  /** Call it when a change was saved. */
  function follow() {
    clearTimeout(timer)
    if (!isUp()) return void (phase.value = 'done')
    phase.value = 'waiting'
    timer = setTimeout(() => {
      if (phase.value === 'waiting') phase.value = 'unneeded'
    }, SETTLED_MS)
  }

  /** Call it when something is changed anew. */
  function begin() {
    clearTimeout(timer)
    phase.value = 'before'
  }

  watch(mood, (now) => {
    const isRestart = now === 'fallingAsleep' || now === 'waking' || now === 'asleep'
    if ((phase.value === 'waiting' || phase.value === 'unneeded') && isRestart) {
      phase.value = 'restarting'
    } else if (phase.value === 'restarting' && now === 'awake') {
      phase.value = 'done'
    } else if (phase.value === 'restarting' && now === 'trouble') {
      phase.value = 'trouble'
    }
  })
  onScopeDispose(() => clearTimeout(timer))

  const text = computed(() => {
    if (phase.value === 'before') return t(`settings.effects.${isUp() ? 'restarts' : 'asleep'}`)
    return t(`settings.effects.${phase.value}`)
  })

  return { phase, text, follow, begin }
}
