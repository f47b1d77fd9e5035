import { BaseCheck, HealthChecks, Result } from '@adonisjs/core/health'
import type { HealthCheckResult } from '@adonisjs/core/types/health'
import { DbCheck } from '@adonisjs/lucid/database'
import type { ApplicationService } from '@adonisjs/core/types'
import { hasCode } from '#drivers/error_code'
import { migrationState } from '#installation/migration_state'
import type { Settings } from '#settings/settings'
import { systemClock, type Clock } from '#timing/clock'
import { within } from '#timing/deadline'

/** Anyone may call it at any rate: one result serves all calls within this time. */
const CACHED = '5 seconds'
/** Checking a runtime can start a process or call an engine. */
const RUNTIME_CACHED = '30 seconds'
/** Milliseconds for the vault to open a value; probes do not wait for long. */
const VAULT_MS = 5000

/** A check that reports its own sentence on failure: the error may name hosts and paths. */
class NamedCheck extends BaseCheck {
  constructor(
    readonly name: string,
    protected check: () => Promise<HealthCheckResult>,
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
      const { pending, unknown } = await migrationState(db, app)
      /** A warning: during a rolling update this one serves until the newer version does. */
      if (unknown.length > 0) return Result.warning('A newer version has changed the database.')
      if (pending.length > 0) return Result.failed(`${pending.length} migrations have not run.`)
      return Result.ok('The database has all tables.')
    },
    'The migrations cannot be read.'
  )
  const vault = new NamedCheck('vault', () => checkVault(settings), 'The settings cannot be read.')
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

/**
 * Tells a vault that does not answer from a key that does not open. The vault's own message may name hosts.
 *
 * @throws errors of the database
 */
export async function checkVault(
  settings: Pick<Settings, 'get'>,
  clock: Clock = systemClock
): Promise<HealthCheckResult> {
  // Both are rows of one table, so an error of the second read is the vault's.
  await settings.get('runtime.driver')
  try {
    await within(clock, VAULT_MS, undefined, () => settings.get('vault.sentinel'))
    return Result.ok('The key opens what this database holds.')
  } catch (error) {
    if (hasCode(error, 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')) {
      return Result.failed('The key does not open what this database holds.')
    }
    if (hasCode(error, 'E_VAULT_MISSING')) {
      return Result.failed('The vault that sealed what this database holds is not installed.')
    }
    return Result.failed('The vault does not answer.')
  }
}

/** Shares a run among concurrent callers: anyone may ask, and a check may take seconds. */
export function sharedLook(checks: Pick<HealthChecks, 'run'>): HealthChecks['run'] {
  let running: ReturnType<HealthChecks['run']> | null = null
  return () => (running ??= checks.run().finally(() => (running = null)))
}
