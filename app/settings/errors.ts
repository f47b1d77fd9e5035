import { Exception } from '@adonisjs/core/exceptions'

export class E_UNKNOWN_SETTING extends Exception {
  static override code = 'E_UNKNOWN_SETTING'
  static override status = 422
  static override message = 'There is no setting of this name.'
  static override help = 'GET /api/v1/admin/settings lists them all.'
}
