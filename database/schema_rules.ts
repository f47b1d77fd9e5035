import type { ColumnInfo, SchemaRules } from '@adonisjs/lucid/types/schema_generator'

const columns = '#models/columns'

/** A secret: the model holds its sealed text. See `app/models/columns.ts`. */
const sealed: ColumnInfo = {
  tsType: 'string | null',
  decorators: [{ name: '@sealedColumn' }],
  imports: [{ source: columns, namedImports: ['sealedColumn'] }],
}

/** What somebody knows, sealed under their data key. */
const dataSealed: ColumnInfo = {
  tsType: 'string | null',
  decorators: [{ name: '@dataSealedColumn' }],
  imports: [{ source: columns, namedImports: ['dataSealedColumn'] }],
}

const flag: ColumnInfo = {
  tsType: 'boolean',
  decorators: [{ name: '@booleanColumn' }],
  imports: [{ source: columns, namedImports: ['booleanColumn'] }],
}

const json = (tsType: string, type?: string): ColumnInfo => ({
  tsType,
  decorators: [{ name: '@jsonColumn' }],
  imports: [
    { source: columns, namedImports: ['jsonColumn'] },
    ...(type ? [{ source: '#models/types', typeImports: [type] }] : []),
  ],
})

/** Has Lucid's generator declare the columns that SQLite and PostgreSQL return differently. */
export default {
  types: {
    boolean: flag,
  },
  columns: {
    gateway_token: sealed,
    runtime_state: json('RuntimeState | null', 'RuntimeState'),
    models: json('ProviderModel[]', 'ProviderModel'),
    fallback_models: json('string[]'),
    limits: json('AgentLimits | null', 'AgentLimits'),
    placement: json('NodeLabels | null', 'NodeLabels'),
    details: json('Record<string, unknown> | null'),
  },
  tables: {
    llm_providers: { columns: { api_key: sealed } },
    user_containers: { columns: { days_of_use: sealed } },
    sign_in_services: { columns: { client_secret: sealed } },
    data_keys: { columns: { key: sealed } },
    findings: { columns: { title: dataSealed, body: dataSealed, source: dataSealed } },
    agent_memories: { columns: { name: dataSealed, value: dataSealed } },
    tasks: { columns: { title: dataSealed, body: dataSealed, result: dataSealed } },
    archive_conversations: { columns: { name: dataSealed, title: dataSealed } },
    archive_messages: { columns: { text: dataSealed } },
    vector_blocks: { columns: { vectors: dataSealed } },
    uploads: { columns: { content: sealed } },
    conversation_lists: { columns: { list: sealed } },
  },
} satisfies SchemaRules
