import { BaseCheck, HealthChecks, Result } from '@adonisjs/core/health'
import type { HealthCheckResult } from '@adonisjs/core/types/health'
import { DbCheck } from '@adonisjs/lucid/database'
import type { ApplicationService } from '@adonisjs/core/types'
import { pendingMigrations } from '#installation/pending_migrations'

/** Anyone may call it at any rate: one result serves all calls within this time. */
const CACHED = '5 seconds'
/** Checking a runtime can start a process or call an engine. */
const RUNTIME_CACHED = '30 seconds'

/** A check that reports its own sentence on failure: the error may name hosts and paths. */
class NamedCheck extends BaseCheck {
  constructor(
    readonly name: string,
    protected check: () => Promise<Result>,
    protected failure: string
  ) {
    super()
  }

  async run(): Promise<HealthCheckResult> {
    return this.check().catch(() => Result.failed(this.failure))
  }
}

/** Conditions for Mosaic to serve. `node ace doctor` shows the operator the causes. */
export async function readinessChecks(app: ApplicationService): Promise<HealthChecks> {
  const db = await app.container.make('lucid.db')
  const settings = await app.container.make('settings')
  const runtimes = await app.container.make('runtime.manager')

  const migrations = new NamedCheck(
    'migrations',
    async () => {
      const pending = await pendingMigrations(db, app)
      if (pending.length === 0) return Result.ok('The database has all tables.')
      return Result.failed(`${pending.length} migrations have not run.`)
    },
    'The migrations cannot be read.'
  )
  const vault = new NamedCheck(
    'vault',
    async () => {
      await settings.get('vault.sentinel')
      return Result.ok('The key opens what this database holds.')
    },
    'The key does not open what this database holds.'
  )
  const runtime = new NamedCheck(
    'runtime',
    async () => {
      const name = await settings.get('runtime.driver')
      const findings = await runtimes.preflight(name)
      const errors = findings.filter(({ severity }) => severity === 'error')
      if (errors.length > 0) return Result.failed(`The runtime "${name}" cannot start agents.`)
      return Result.ok(`The runtime "${name}" can start agents.`)
    },
    'The runtime cannot be examined.'
  )
  return new HealthChecks().register([
    new DbCheck(db.connection()).as('database').cacheFor(CACHED),
    migrations.cacheFor(CACHED),
    vault.cacheFor(CACHED),
    runtime.cacheFor(RUNTIME_CACHED),
  ])
}
