import { Exception } from '@adonisjs/core/exceptions'

/** The setting `runtime.driver` names a runtime that neither Mosaic nor a plugin brings. */
export class E_RUNTIME_NOT_INSTALLED extends Exception {
  static override code = 'E_RUNTIME_NOT_INSTALLED'
  static override status = 500

  constructor(chosen: string, installed: string[]) {
    super(`The settings choose the runtime "${chosen}", which is not installed.`)
    this.help = `Install its plugin again (node ace plugin:add), or choose another: node ace settings:set runtime.driver ${installed[0]}`
  }
}
