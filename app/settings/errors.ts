import { Exception } from '@adonisjs/core/exceptions'

export class E_UNKNOWN_SETTING extends Exception {
  static override code = 'E_UNKNOWN_SETTING'
  static override status = 422
  static override message = 'There is no setting of this name.'
  static override help = 'GET /api/v1/admin/settings lists them all.'
}

export class E_SETTINGS_SHAPE extends Exception {
  static override code = 'E_SETTINGS_SHAPE'
  static override status = 422
  static override message = 'A change of settings is an object of keys and values.'
  static override help =
    'Send it as { "agents.idleTimeoutMin": 20 }; null goes back to the default.'
}

/** The setting names the machine or the program that agents' data goes to. */
export class E_OPERATOR_SETTING extends Exception {
  static override code = 'E_OPERATOR_SETTING'
  static override status = 403
  readonly field: string

  constructor(key: string, value: unknown) {
    super(`Only an operator changes ${key}, on the command line.`)
    this.field = key
    this.help = `Run: ${settingCommand(key, value)}`
  }
}

/** The command that sets a value, for a POSIX shell. */
function settingCommand(key: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `node ace settings:set ${key} '${text.replaceAll("'", `'\\''`)}'`
}

export class E_DATABASE_UNREACHABLE extends Exception {
  static override code = 'E_DATABASE_UNREACHABLE'
  static override status = 503
  static override message = 'The database of DATABASE_URL cannot be reached.'
  static override help =
    'Check that it runs, that the address, the name and the password are right, and start again.'
}

export class E_DATABASE_REFUSED extends Exception {
  static override code = 'E_DATABASE_REFUSED'
  static override status = 503
  static override message = 'PostgreSQL refuses the user or the password of DATABASE_URL.'
  static override help =
    'Check both. What is special in an address is written encoded, "#" as %23 and "@" as %40.'
}

export class E_DATABASE_UNKNOWN extends Exception {
  static override code = 'E_DATABASE_UNKNOWN'
  static override status = 503
  static override message = 'PostgreSQL has no database of the name in DATABASE_URL.'
  static override help = 'Make it with "createdb", or name another one, and start again.'
}

export class E_DATABASE_MIGRATING extends Exception {
  static override code = 'E_DATABASE_MIGRATING'
  static override status = 503
  static override message =
    'Another process has been changing the tables of this database for minutes.'
  static override help = 'Wait until it is done, or end it, and start again.'
}

export class E_DATABASE_NOT_MIGRATED extends Exception {
  static override code = 'E_DATABASE_NOT_MIGRATED'
  static override status = 503
  static override message = 'The database does not have the tables of this version yet.'
  static override help =
    'Make a backup if it holds data, run "node ace migration:run --force", then start again.'
}
