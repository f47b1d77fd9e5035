import type { AgentKey } from '#agents/types'

/** Creates users, each with the provider that needs no key. Call it in a booted process. */
export async function demoAgents(count: number): Promise<AgentKey[]> {
  const { default: User } = await import('#models/user')
  const { default: LlmProvider } = await import('#models/llm_provider')
  const agents: AgentKey[] = []
  for (let i = 0; i < count; i++) {
    const user = await User.create({ email: `${i}@example.test`, name: `${i}`, role: 'member' })
    const provider = new LlmProvider()
    provider.merge({
      userId: user.id,
      name: 'demo',
      displayName: 'Demo',
      type: 'demo',
      apiType: 'openai-completions',
      models: [{ id: 'echo', name: 'Echo' }],
      isActive: true,
    })
    await provider.save()
    agents.push(`user/${user.id}`)
  }
  return agents
}
