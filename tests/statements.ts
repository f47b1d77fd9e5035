import db from '@adonisjs/lucid/services/db'

/** Returns the SQL that the work runs. Call it within a transaction. */
export async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const client = db.connection().getWriteClient()
  const statements: string[] = []
  const note = ({ sql }: { sql: string }) => void statements.push(sql)
  client.on('query', note)
  await work().finally(() => client.removeListener('query', note))
  return statements
}
