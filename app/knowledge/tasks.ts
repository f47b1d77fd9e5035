import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import Task from '#models/task'
import type { Author, TaskStatus } from '#models/types'
import { lockOwner } from '#models/owner_lock'
import { FIRST_PAGE, PAGE_LIMIT, pageWith, type PageQuery } from '#models/page'
import { refuseFields } from '#settings/field_errors'
import type { DataKeys } from '#knowledge/data_keys'
import { E_TASK_CLAIMED } from '#knowledge/errors'
import { iso } from '#knowledge/iso'
import { requireRoom, sizeOf, type KnowledgeQuota } from '#knowledge/quota'
import { readable } from '#knowledge/readable'
import type { DataCipher } from '#vaults/data_cipher'

/** A task as returned to its owner. Times are ISO 8601 in UTC. */
export interface TaskView {
  id: string
  title: string
  body: string | null
  status: TaskStatus
  /** Higher comes first. */
  priority: number
  dueAt: string | null
  assignedUserId: string | null
  /** `user/<id>`. */
  assignedAgent: string | null
  /** Until then nobody else can claim it. */
  claimedUntil: string | null
  result: string | null
  author: Author
  createdAt: string
  updatedAt: string
}

/** Omitted fields stay unchanged; null clears a field. */
export interface TaskChanges {
  title?: string
  body?: string | null
  status?: TaskStatus
  priority?: number
  dueAt?: DateTime | null
  assignedUserId?: string | null
  assignedAgent?: string | null
  result?: string | null
}

export type TaskInput = TaskChanges & { title: string }

const DEFAULTS = { body: null, result: null, status: 'todo', priority: 0, dueAt: null } as const

/** Statuses in which a task can be claimed. */
const OPEN: TaskStatus[] = ['todo', 'doing', 'blocked']

/**
 * An owner's tasks, for that owner or their agent. Other owners' rows do not exist and fail with
 * E_ROW_NOT_FOUND (404).
 */
export class Tasks {
  constructor(
    protected keys: DataKeys,
    protected quota: KnowledgeQuota
  ) {}

  /**
   * Orders by priority, then due date, then newest first.
   *
   * @throws E_DATA_KEY_GONE if the owner's only key is lost
   */
  async list(
    userId: string,
    { page = FIRST_PAGE, limit = PAGE_LIMIT, status, assignedAgent }: TaskQuery
  ) {
    const query = Task.ownedBy(userId)
    if (status) void query.where('status', status)
    if (assignedAgent) void query.where('assigned_agent', assignedAgent)
    const found = await query
      .orderBy('priority', 'desc')
      /** SQLite sorts nulls first, PostgreSQL last. */
      .orderByRaw('case when due_at is null then 1 else 0 end')
      .orderBy('due_at')
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .paginate(page, limit)
    const { views, unreadable } = await this.viewsOf(userId, found.all())
    return pageWith(found, views, unreadable)
  }

  /** Opens rows of an owner, as `readable`. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async viewsOf(userId: string, rows: Task[]) {
    const cipher = rows.length > 0 ? await this.keys.require(userId) : null
    return readable(rows, (row) => taskView(row, cipher!))
  }

  async find(userId: string, id: string): Promise<TaskView> {
    const row = await Task.ownedBy(userId).where('id', id).firstOrFail()
    return taskView(row, await this.keys.require(userId))
  }

  /** @throws E_VALIDATION_ERROR, E_TOO_MUCH_KNOWLEDGE */
  async create(userId: string, author: Author, input: TaskInput): Promise<TaskView> {
    requireOwnAssignee(userId, input)
    const cipher = await this.keys.get(userId)
    return this.#stored(userId, cipher, async () => {
      const row = new Task()
      return [row.merge({ userId, author }), { ...DEFAULTS, ...input }]
    })
  }

  /**
   * Updates a task. Any status other than `doing` also releases its claim.
   *
   * @throws E_VALIDATION_ERROR, E_TOO_MUCH_KNOWLEDGE, E_DATA_KEY_GONE
   */
  async update(userId: string, id: string, changes: TaskChanges): Promise<TaskView> {
    requireOwnAssignee(userId, changes)
    await Task.ownedBy(userId).where('id', id).firstOrFail()
    const cipher = await this.keys.require(userId)
    return this.#stored(userId, cipher, async (trx) => {
      const row = await Task.query({ client: trx }).where({ user_id: userId, id }).firstOrFail()
      const { title, body, result } = taskView(row, cipher)
      return [row, { title, body, result, ...given(changes) }]
    })
  }

  async delete(userId: string, id: string): Promise<void> {
    const row = await Task.ownedBy(userId).where('id', id).firstOrFail()
    await row.delete()
  }

  /**
   * Claims the task for this many minutes and sets its status to `doing`. Only one of several concurrent
   * callers succeeds.
   *
   * @throws E_TASK_CLAIMED
   */
  async claim(userId: string, id: string, minutes: number): Promise<TaskView> {
    await Task.ownedBy(userId).where('id', id).firstOrFail()
    const { dateTimeFormat } = db.connection().dialect
    const now = DateTime.utc()
    const [taken] = await Task.ownedBy(userId)
      .where('id', id)
      .whereIn('status', OPEN)
      .where((free) =>
        free.whereNull('claimed_until').orWhere('claimed_until', '<=', now.toFormat(dateTimeFormat))
      )
      .update({
        status: 'doing',
        claimed_until: now.plus({ minutes }).toFormat(dateTimeFormat),
        updated_at: now.toFormat(dateTimeFormat),
      })
    if (Number(taken) === 0) throw new E_TASK_CLAIMED()
    return this.find(userId, id)
  }

  /** Stores a row with its new values, both of which are chosen under the lock of the owner's row. */
  async #stored(
    userId: string,
    cipher: DataCipher,
    choose: (trx: TransactionClientContract) => Promise<[row: Task, values: TaskInput]>
  ): Promise<TaskView> {
    const limits = await this.quota.read()
    return db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      const [row, values] = await choose(trx)
      const formerBytes = row.$isPersisted ? row.bytes : 0
      write(row, cipher, values)
      const growth = { rows: row.$isPersisted ? 0 : 1, bytes: Math.max(row.bytes - formerBytes, 0) }
      await requireRoom(userId, growth, limits, trx)
      await row.useTransaction(trx).save()
      return taskView(row, cipher)
    })
  }
}

export interface TaskQuery extends PageQuery {
  status?: TaskStatus
  assignedAgent?: string
}

/** Sets a row's values, without saving it. */
function write(row: Task, cipher: DataCipher, values: TaskInput): void {
  const { title, body = null, result = null, ...plain } = values
  row.merge(plain)
  if (row.status !== 'doing') row.claimedUntil = null
  row.sealWith(cipher, 'title', title)
  row.sealWith(cipher, 'body', body)
  row.sealWith(cipher, 'result', result)
  row.bytes = sizeOf(title, body, result)
}

/** Drops undefined fields, so that they override nothing. */
const given = (changes: TaskChanges): TaskChanges =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

/** Requires the assignee to be the owner or the owner's agent. @throws E_VALIDATION_ERROR */
function requireOwnAssignee(
  userId: string,
  { assignedUserId, assignedAgent }: Pick<TaskChanges, 'assignedUserId' | 'assignedAgent'>
): void {
  const wrong = []
  if (assignedUserId && assignedUserId !== userId) {
    wrong.push({ field: 'assignedUserId', message: 'You can assign a task to yourself alone.' })
  }
  if (assignedAgent && assignedAgent !== `user/${userId}`) {
    const message = `You can assign a task to your own agent alone: "user/${userId}".`
    wrong.push({ field: 'assignedAgent', message })
  }
  refuseFields(wrong)
}

function taskView(row: Task, cipher: DataCipher): TaskView {
  return {
    id: row.id,
    title: row.openWith(cipher, 'title')!,
    body: row.openWith(cipher, 'body'),
    status: row.status,
    priority: row.priority,
    dueAt: iso(row.dueAt),
    assignedUserId: row.assignedUserId ?? null,
    assignedAgent: row.assignedAgent ?? null,
    claimedUntil: iso(row.claimedUntil),
    result: row.openWith(cipher, 'result'),
    author: row.author,
    createdAt: iso(row.createdAt)!,
    updatedAt: iso(row.updatedAt)!,
  }
}
