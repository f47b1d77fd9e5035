import app from '@adonisjs/core/services/app'
import settings from '#settings/services/main'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import { chatByHttp } from '#tests/doubles/http_only_gateway'
import { Visitor } from '#tests/visitor'

const ORIGIN = `http://${process.env.HOST}:${process.env.PORT}`

/** Must not appear in any response: stacks, queries, and internals of databases and files. */
const LEAKS =
  /\n\s+at |node_modules|file:\/\/\/|\bselect\b.*\bfrom\b|insert into|SQLITE_|pg_catalog/i

/** Excluded from the inputs, because they change what the run depends on. */
const LEFT_OUT = new Set(['post.admin.systemAgents.start', 'post.admin.systemAgents.restart'])

export interface Operation {
  method: string
  path: string
  operationId: string
  parameters: { name: string; in: string; schema: object }[]
  requestBody?: { content: { 'application/json': { schema: object } } }
  responses: Record<string, object>
}

export async function describedOperations(): Promise<Operation[]> {
  const { body } = await new Visitor().get('/api/v1/openapi.json')
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    }))
  )
}

/** Calls the API with an admin's token, for inputs that may change anything. */
export async function openApi() {
  await settings.set('onboarding.completed', true)
  /** Restores the settings that the run depends on, because the inputs change settings too. */
  const asBefore = async () => {
    const changed = (await settings.list()).filter(({ source }) => source === 'database')
    for (const { key } of changed) await settings.patch({ [key]: null })
    await settings.set('runtime.driver', 'memory')
    await settings.set('limits.requestsPerMinute', 1_000_000)
  }
  await asBefore()
  const close = await chatByHttp()
  const admin = await UserFactory.apply('admin').create()
  const other = await UserFactory.create()
  const provider = await LlmProviderFactory.merge({ userId: admin.id, type: 'demo' }).create()
  /** A second provider that no input names, so that the agent keeps one whatever happens to the first. */
  await LlmProviderFactory.merge({ userId: admin.id, type: 'demo' }).create()
  const tokens = await app.container.make('identity.tokens')
  const token = (await tokens.create(admin, { name: 'test' })).value!.release()
  const operations = (await describedOperations()).filter(
    ({ operationId }) => !LEFT_OUT.has(operationId)
  )

  /** Sends a request. `wrong` describes a 5xx or a leak for the report, else it is null. */
  async function ask(
    { method, operationId }: Operation,
    path: string,
    body?: string,
    bare = false
  ) {
    const abort = new AbortController()
    const response = await fetch(`${ORIGIN}${path}`, {
      method,
      body,
      redirect: 'manual',
      signal: abort.signal,
      headers: {
        'accept': 'application/json',
        'content-type': 'application/json',
        ...(!bare && { authorization: `Bearer ${token}` }),
      },
    })
    const streams = response.headers.get('content-type')?.startsWith('text/event-stream')
    const text = streams ? '' : await response.text()
    abort.abort()
    const { status } = response
    if (operationId === 'patch.admin.settings.update' && status < 400) await asBefore()
    /** The memory runtime's gateways have no WebSocket, by which pictures and approvals are asked for. */
    const isSilent = status === 502 && text.includes('"E_GATEWAY_FAILED"')
    const isWrong = (status >= 500 && !isSilent) || LEAKS.test(text)
    const told = `${method} ${path} ${body?.slice(0, 300)} → ${status} ${text.slice(0, 300)}`
    return { status, wrong: isWrong ? told : null }
  }

  return {
    operations,
    ids: { provider: provider.id, other: other.id },
    ask,
    close,
  }
}
