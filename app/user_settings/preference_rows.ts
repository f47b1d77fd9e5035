import type { LucidRow } from '@adonisjs/lucid/types/model'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import type { AgentProfile } from '#models/types'
import { isUniqueViolation } from '#models/unique_violation'

export const DEFAULT_PROFILE: AgentProfile = 'minimal'
export const DEFAULT_ARCHIVE_DAYS = 90

/**
 * Returns a user's agent preferences, locked until the transaction ends. Creates the row with defaults if
 * missing.
 */
export function configOf(
  userId: string,
  client: TransactionClientContract
): Promise<UserAgentConfig> {
  return findOrCreate(
    () => UserAgentConfig.query({ client }).where('user_id', userId).forUpdate().first(),
    (trx) =>
      UserAgentConfig.create(
        {
          userId,
          fallbackModels: [],
          profile: DEFAULT_PROFILE,
          knowledge: 'off',
          wakeEarly: true,
          archiveEnabled: false,
          archiveDays: DEFAULT_ARCHIVE_DAYS,
        },
        { client: trx }
      ),
    client
  )
}

/** Returns a user's agent row. Creates it with this idle timeout if missing. */
export function containerOf(
  userId: string,
  idleTimeoutMin: number,
  client: TransactionClientContract
): Promise<UserContainer> {
  const containerName = `mosaic-user-${userId}`
  return findOrCreate(
    () => UserContainer.query({ client }).where('user_id', userId).first(),
    (trx) => UserContainer.create({ userId, containerName, idleTimeoutMin }, { client: trx }),
    client
  )
}

/** One row per user: if two callers create it at once, the second finds the first one's. */
async function findOrCreate<Row extends LucidRow>(
  find: () => Promise<Row | null>,
  create: (client: TransactionClientContract) => Promise<Row>,
  client: TransactionClientContract
): Promise<Row> {
  const found = await find()
  if (found) return found
  try {
    const made = await client.transaction((savepoint) => create(savepoint))
    /** The savepoint has ended: later queries belong to the surrounding transaction. */
    return made.useTransaction(client)
  } catch (error) {
    const theirs = isUniqueViolation(error) ? await find() : null
    if (!theirs) throw error
    return theirs
  }
}
