import db from '@adonisjs/lucid/services/db'
import UserContainer from '#models/user_container'
import { IDLE_MIN, RUNTIME, USAGE_DAYS, type ScaleOrders } from './orders.js'

/** Sealed tokens per statement. */
const BATCH = 500
const MODELS = '[{"id":"echo","name":"Echo"}]'

/** Stores users, each with a provider, preferences, an agent and days of usage: one statement per table. */
export async function seed({ users, awake, gatewayPort }: ScaleOrders): Promise<void> {
  const isPostgres = db.connection().dialect.name === 'postgres'
  const ago = (seconds: string) =>
    isPostgres
      ? `now() - (${seconds}) * interval '1 second'`
      : `datetime('now', '-' || (${seconds}) || ' seconds')`
  const day = (days: string) =>
    isPostgres ? `current_date - (${days})::int` : `date('now', '-' || (${days}) || ' days')`
  const json = (text: string) => (isPostgres ? `'${text}'::json` : `'${text}'`)
  const times = { created_at: ago('i'), updated_at: ago('i') }
  const isAwake = `i < ${awake}`
  const whileAwake = (value: string) => `case when ${isAwake} then ${value} end`

  /** `values` are SQL expressions over `i`, the number of the user. */
  const fill = (table: string, count: number, values: Record<string, string>) =>
    db.rawQuery(
      `with recursive numbers(i) as (select 0 union all select i + 1 from numbers where i + 1 < ${count})
       insert into ${table} (${Object.keys(values).join(', ')})
       select ${Object.values(values).join(', ')} from numbers`
    )

  await fill('users', users, {
    id: `'user-' || i`,
    email: `i || '@example.test'`,
    name: `'Person ' || i`,
    role: `case when i = 0 then 'admin' else 'member' end`,
    ...times,
  })
  await fill('llm_providers', users, {
    id: `'provider-' || i`,
    user_id: `'user-' || i`,
    name: `'demo'`,
    display_name: `'Demo'`,
    type: `'demo'`,
    models: json(MODELS),
    ...times,
  })
  await fill('user_agent_configs', users, {
    id: `'config-' || i`,
    user_id: `'user-' || i`,
    fallback_models: json('[]'),
    wake_early: isPostgres ? 'i % 20 <> 0' : 'i % 20 <> 0',
    ...times,
  })
  await fill('user_containers', users, {
    id: `'container-' || i`,
    user_id: `'user-' || i`,
    container_name: `'mosaic-user-user-' || i`,
    idle_timeout_min: String(IDLE_MIN),
    status: `case when ${isAwake} then 'running' else 'stopped' end`,
    desired: `case when ${isAwake} then 'running' else 'stopped' end`,
    last_active_at: ago(
      `case when ${isAwake} then i % ${(IDLE_MIN - 1) * 60} else ${IDLE_MIN * 60} + i end`
    ),
    runtime: `'${RUNTIME}'`,
    container_id: whileAwake(`'instance-' || i`),
    endpoint: whileAwake(
      `'http://127.' || (1 + i / 65536) || '.' || ((i / 256) % 256) || '.' || (i % 256) || ':${gatewayPort}'`
    ),
    spec_hash: whileAwake(`'spec'`),
    started_at: whileAwake(ago('i % 3600')),
    generation: '1',
    ...times,
  })
  await fill('usage_days', Math.ceil(users / 3) * USAGE_DAYS, {
    id: `'usage-' || i`,
    user_id: `'user-' || (i / ${USAGE_DAYS} * 3)`,
    day: day(`i % ${USAGE_DAYS}`),
    chats: 'i % 20',
    ...times,
  })
  await sealTokens(awake)
  await db.rawQuery(isPostgres ? 'vacuum analyze' : 'analyze')
}

async function sealTokens(awake: number): Promise<void> {
  for (let from = 0; from < awake; from += BATCH) {
    const values: (string | null)[] = []
    for (let index = from; index < Math.min(awake, from + BATCH); index++) {
      const row = new UserContainer()
      row.id = `container-${index}`
      await row.renewGatewayToken()
      values.push(row.id, row.gatewayToken, row.gatewayTokenHash, row.knowledgeTokenHash)
    }
    const rows = Array.from({ length: values.length / 4 }, () => '(?, ?, ?, ?)').join(', ')
    await db.rawQuery(
      `update user_containers
       set gateway_token = given.column2, gateway_token_hash = given.column3,
         knowledge_token_hash = given.column4
       from (values ${rows}) as given
       where user_containers.id = given.column1`,
      values as string[]
    )
  }
}
