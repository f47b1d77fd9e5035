import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import type { AgentKey, GatewayAccess } from '#agents/types'
import SystemContainer from '#models/system_container'
import { UserFactory } from '#database/factories/user_factory'
import { internalUrl, providerOf } from '#tests/functional/openclaw/agent'

/** A stolen agent token is valid until the agent's next start, and useless afterwards. */
test.group('A stolen gateway token', (group) => {
  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    const settings = await app.container.make('settings')
    const runtimes = await app.container.make('runtime.manager')
    const former = await settings.get('runtime.driver')
    await settings.set('runtime.driver', 'memory')
    return async () => {
      await ((await runtimes.use('memory')) as { reset?(): Promise<void> }).reset?.()
      await settings.set('runtime.driver', former)
    }
  })

  /** Returns the status of each endpoint for the token. */
  async function statuses(agent: AgentKey, url: string, token: string, providerId: string) {
    const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    const ask = async (address: string, init: RequestInit = {}) =>
      (await fetch(address, { headers, ...init })).status
    return {
      document: await ask(`${internalUrl()}/api/internal/agent-config/${agent}`),
      relay: await ask(`${internalUrl()}/api/internal/llm/${providerId}/chat/completions`, {
        method: 'POST',
        body,
      }),
      gateway: await ask(`${url}/v1/chat/completions`, { method: 'POST', body }),
    }
  }

  const OPEN = { document: 200, relay: 200, gateway: 200 }
  const SHUT = { document: 401, relay: 401, gateway: 401 }

  async function agentsWithDemoModel(): Promise<Record<string, [AgentKey, string]>> {
    const { id } = await UserFactory.create()
    const models = [{ id: 'echo', name: 'Echo' }]
    const demo = { type: 'demo' as const, name: 'demo', models }
    const provider = await providerOf(id, demo, null)
    const system = await SystemContainer.create({
      name: `mosaic-system-${id.slice(0, 8)}`,
      role: 'operations',
      isActive: true,
      desired: 'stopped',
      providerId: provider.id,
      primaryModel: 'demo/echo',
    })
    return { user: [`user/${id}`, provider.id], system: [`system/${system.id}`, provider.id] }
  }

  for (const kind of ['user', 'system']) {
    test(`does nothing after a restart of a ${kind}'s agent`, async ({ assert }) => {
      const lifecycle = await app.container.make('agents.lifecycle')
      const [agent, providerId] = (await agentsWithDemoModel())[kind]
      const check = ({ url }: GatewayAccess, token: string) =>
        statuses(agent, url, token, providerId)

      const stolen = await lifecycle.startAndWait(agent)
      assert.deepEqual(await check(stolen, stolen.token), OPEN)
      const present = await lifecycle.restartAndWait(agent)
      assert.deepEqual(await check(present, stolen.token), SHUT)
      assert.deepEqual(await check(present, present.token), OPEN)

      await lifecycle.stop(agent)
      const { document, relay } = await check(present, present.token).catch(() =>
        statuses(agent, internalUrl(), present.token, providerId)
      )
      assert.deepEqual([document, relay], [401, 401])
    })
  }
})
