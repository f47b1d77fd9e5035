import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { usePage } from '@inertiajs/vue3'
import { api } from '~/api/client'
import type { AdminSetting, AdminUser, ConversationSummary } from '~/api/shapes'
import { placeOf, textOf } from '~/components/admin/setting_places'
import { useAgent } from '~/composables/use_agent'
import { useTypingPause } from '~/composables/use_typing_pause'
import { tOr } from '~/locales'

/** Search result: a label and its address. */
export interface Find {
  label: string
  suffix?: string
  href: string
}

const SHORTEST_TERM = 2
const MOST_PEOPLE = 5

/**
 * Search results other than pages: the user's conversations, and for admins settings and people. Sources that
 * cannot be queried now are left out.
 */
export function useFinds(term: Ref<string>, open: Ref<boolean>) {
  const { can } = usePage().props
  const { mood } = useAgent()
  const conversations = shallowRef<Find[]>([])
  const settings = shallowRef<Find[]>([])
  const people = shallowRef<Find[]>([])

  async function fill(finds: Ref<Find[]>, load: () => Promise<Find[]>) {
    finds.value = await load().catch(() => [])
  }

  /** Loads again on each opening: there may be more results, and a source may be available again. */
  watch(
    open,
    (isOpen) => {
      if (isOpen && can.manageSettings) void fill(settings, findSettings)
    },
    { immediate: true }
  )
  const asked = ref('')
  const { restart } = useTypingPause(() => (asked.value = term.value.trim()))
  watch(term, restart)

  /** Only a running agent can list them. */
  watch(
    [() => open.value && mood.value === 'awake', asked],
    async ([isListed, search]) => {
      if (!isListed) return
      const found = await findConversations(search).catch(() => [])
      if (search === asked.value) conversations.value = found
    },
    { immediate: true }
  )
  watch(asked, async (search) => {
    if (!can.manageUsers) return
    if (search.length < SHORTEST_TERM) return void (people.value = [])
    const found = await findPeople(search).catch(() => [])
    if (search === asked.value) people.value = found
  })

  return computed(() => ({
    conversations: conversations.value,
    settings: settings.value,
    people: people.value,
  }))
}

/** The latest ones, or those that match: the list has pages. */
async function findConversations(search: string): Promise<Find[]> {
  const { data } = await api.list<ConversationSummary>('/conversations', {
    search: search.length < SHORTEST_TERM ? undefined : search,
  })
  return data.flatMap(({ id, title }) =>
    title ? [{ label: title, href: `/chat/${encodeURIComponent(id)}` }] : []
  )
}

async function findSettings(): Promise<Find[]> {
  const all = await api.get<AdminSetting[]>('/admin/settings')
  return all.map(({ key }) => ({
    label: tOr(`${textOf(key)}.label`, key),
    suffix: key,
    href: placeOf(key),
  }))
}

async function findPeople(search: string): Promise<Find[]> {
  const { data } = await api.list<AdminUser>('/admin/users', { search, limit: MOST_PEOPLE })
  return data.map(({ id, name, email }) => {
    const label = name ?? email ?? id
    return {
      label,
      suffix: email ?? undefined,
      href: `/admin/users?${new URLSearchParams({ search: email ?? label })}`,
    }
  })
}
