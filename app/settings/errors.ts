import { Exception } from '@adonisjs/core/exceptions'

export class E_UNKNOWN_SETTING extends Exception {
  static override code = 'E_UNKNOWN_SETTING'
  static override status = 422
  static override message = 'There is no setting of this name.'
  static override help = 'GET /api/v1/admin/settings lists them all.'
}

export class E_DATABASE_UNREACHABLE extends Exception {
  static override code = 'E_DATABASE_UNREACHABLE'
  static override status = 503
  static override message = 'The database of DATABASE_URL cannot be reached.'
  static override help =
    'Check that it runs, that the address, the name and the password are right, and start again.'
}

export class E_DATABASE_NOT_MIGRATED extends Exception {
  static override code = 'E_DATABASE_NOT_MIGRATED'
  static override status = 503
  static override message = 'The database does not have the tables of this version yet.'
  static override help = 'Run "node ace migration:run --force", then start again.'
}
