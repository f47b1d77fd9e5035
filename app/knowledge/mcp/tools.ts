import { Compile } from 'typebox/compile'
import { Type, type Static, type TProperties, type TSchema } from 'typebox'
import { TASK_STATUSES, type KnowledgeAccess } from '#models/types'
import type { FindingView } from '#knowledge/finding_view'
import type { Findings } from '#knowledge/findings'
import { handedOut } from '#knowledge/mcp/handed_out'
import { RpcFailure } from '#knowledge/mcp/json_rpc'
import type { AgentMemories, MemoryView } from '#knowledge/memory'
import type { Tasks, TaskView } from '#knowledge/tasks'

/** The services behind the tools. */
export interface Knowledge {
  findings: Findings
  memories: AgentMemories
  tasks: Tasks
}

/** A tool's description for agents, and its implementation. */
export interface Tool {
  name: string
  description: string
  inputSchema: TSchema
  /** The access its owner must have granted. */
  needs: Exclude<KnowledgeAccess, 'off'>
  /** Returns text. @throws RpcFailure for invalid arguments, and whatever the service throws */
  call(knowledge: Knowledge, userId: string, input: unknown): Promise<string>
}

const MATCHES = 5
const LISTED = 20
const CLAIM_MINUTES = 15

const text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description && { description }) })

const title = text(200)
const body = text(20_000)
/** Of a row. Databases refuse other characters in their own ways. */
const id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })
const key = text(200)
const namespace = Type.Optional(text(200, 'Left out: "default".'))

function tool<Properties extends TProperties>(
  name: string,
  needs: Tool['needs'],
  description: string,
  properties: Properties,
  does: (
    knowledge: Knowledge,
    userId: string,
    input: Static<ReturnType<typeof Type.Object<Properties>>>
  ) => Promise<Record<string, unknown>[]>
): Tool {
  const inputSchema = Type.Object(properties, { additionalProperties: false })
  const validator = Compile(inputSchema)
  return {
    name,
    description,
    inputSchema,
    needs,
    async call(knowledge, userId, input) {
      if (!validator.Check(input)) {
        const [{ instancePath, message }] = validator.Errors(input)
        throw new RpcFailure('invalidParams', `${instancePath || 'The input'} ${message}.`)
      }
      return handedOut(await does(knowledge, userId, input as never))
    },
  }
}

/** The tools. The owner always comes from the token, never from an argument. */
export const TOOLS: Tool[] = [
  tool(
    'findings_search',
    'read',
    'Search what the user and you found out earlier. Use it before you look something up again.',
    { query: text(1000), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })) },
    async ({ findings }, userId, { query, limit = MATCHES }) => {
      const found = await findings.search(userId, query, limit)
      return found.map((finding) => ({ ...shortFinding(finding), score: finding.score }))
    }
  ),
  tool(
    'findings_save',
    'write',
    'Keep something that you found out and that will be useful later: one fact, with where it comes from. If a finding says nearly the same, name it in "supersedes" to correct it.',
    {
      title,
      body,
      source: Type.Optional(text(2000)),
      supersedes: Type.Optional(id),
      force: Type.Optional(Type.Boolean()),
    },
    async ({ findings }, userId, { force, ...input }) => [
      shortFinding(await findings.create(userId, 'agent', input, { force })),
    ]
  ),
  tool(
    'findings_confirm',
    'write',
    'Say that a finding still holds, after you have checked it.',
    { id },
    async ({ findings }, userId, input) => [
      shortFinding(await findings.update(userId, input.id, { confirmed: true })),
    ]
  ),
  tool(
    'memory_get',
    'read',
    'Read what you remember under a key, or list what there is when you name no key.',
    { key: Type.Optional(key), namespace },
    async ({ memories }, userId, { key: name, namespace: space }) => {
      if (name !== undefined) {
        return [shortMemory(await memories.find(userId, { key: name, namespace: space }))]
      }
      const { data } = await memories.list(userId, { namespace: space, limit: LISTED })
      return data.map(shortMemory)
    }
  ),
  tool(
    'memory_set',
    'write',
    'Remember a value under a key, across conversations.',
    { key, value: Type.Unknown(), namespace },
    async ({ memories }, userId, { key: name, value, namespace: space }) => [
      shortMemory(await memories.put(userId, { key: name, namespace: space }, { value })),
    ]
  ),
  tool(
    'memory_forget',
    'write',
    'Forget what you remember under a key.',
    { key, namespace },
    async ({ memories }, userId, { key: name, namespace: space }) => {
      await memories.delete(userId, { key: name, namespace: space })
      return [{ forgotten: name }]
    }
  ),
  tool(
    'tasks_list',
    'read',
    'List tasks of the user: what is assigned to you, or everything.',
    {
      status: Type.Optional(Type.Enum([...TASK_STATUSES])),
      mine: Type.Optional(Type.Boolean()),
    },
    async ({ tasks }, userId, { status, mine }) => {
      const assignedAgent = mine ? `user/${userId}` : undefined
      const { data } = await tasks.list(userId, { status, assignedAgent, limit: LISTED })
      return data.map(shortTask)
    }
  ),
  tool(
    'tasks_update',
    'write',
    'Work on a task: claim it before you begin, then write its result and set its status to "done".',
    {
      id,
      claim: Type.Optional(Type.Boolean()),
      status: Type.Optional(Type.Enum([...TASK_STATUSES])),
      result: Type.Optional(body),
    },
    async ({ tasks }, userId, { id: taskId, claim, ...changes }) => {
      if (claim) await tasks.claim(userId, taskId, CLAIM_MINUTES)
      const hasChanges = Object.keys(changes).length > 0
      return [
        shortTask(
          hasChanges
            ? await tasks.update(userId, taskId, changes)
            : await tasks.find(userId, taskId)
        ),
      ]
    }
  ),
]

const shortFinding = (view: FindingView) => ({
  id: view.id,
  title: view.title,
  body: view.body,
  source: view.source,
  author: view.author,
  confirmedAt: view.confirmedAt,
  createdAt: view.createdAt,
})

const shortMemory = ({ namespace: space, key: name, value, revision, updatedAt }: MemoryView) => ({
  namespace: space,
  key: name,
  value,
  revision,
  updatedAt,
})

const shortTask = (view: TaskView) => ({
  id: view.id,
  title: view.title,
  body: view.body,
  status: view.status,
  priority: view.priority,
  dueAt: view.dueAt,
  author: view.author,
  assignedAgent: view.assignedAgent,
  claimedUntil: view.claimedUntil,
  result: view.result,
})
