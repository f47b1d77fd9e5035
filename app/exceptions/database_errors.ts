import { CodedError } from '#drivers/contract_error'

export class E_DATABASE_UNREACHABLE extends CodedError {
  static override status = 503
  static override message = 'The database of DATABASE_URL cannot be reached.'
  static override help =
    'Check that it runs, that the address, the name and the password are right, and start again.'
}

export class E_DATABASE_REFUSED extends CodedError {
  static override status = 503
  static override message = 'PostgreSQL refuses the user or the password of DATABASE_URL.'
  static override help =
    'Check both. Percent-encode special characters of the password: "#" is %23 and "@" is %40.'
}

export class E_DATABASE_UNKNOWN extends CodedError {
  static override status = 503
  static override message = 'PostgreSQL has no database of the name in DATABASE_URL.'
  static override help = 'Make it with "createdb", or name another one, and start again.'
}

export class E_DATABASE_MIGRATING extends CodedError {
  static override status = 503
  static override message =
    'Another process has been changing the tables of this database for minutes.'
  static override help = 'Wait until it is done, or end it, and start again.'
}

export class E_DATABASE_NOT_MIGRATED extends CodedError {
  static override status = 503
  static override message = 'The database does not have the tables of this version yet.'
  static override help =
    'Make a backup if it holds data, run "node ace migration:run --force", then start again.'
}

export class E_DATABASE_NEWER extends CodedError {
  static override status = 503
  static override help =
    'Install that version again, or restore the backup from before its upgrade (docs/upgrade.md). Nothing was changed.'

  /** @param unknown migrations that this version does not have */
  constructor(unknown: number) {
    super(`A newer version of Mosaic has changed this database (unknown migrations: ${unknown}).`)
  }
}
