import { CodedError } from '#drivers/contract_error'

/** A driver is named that neither a configuration file nor a plugin brings. */
export class E_UNKNOWN_DRIVER extends CodedError {
  static override status = 500

  constructor(kind: string, name: string) {
    super(`There is no ${kind} driver "${name}".`)
    this.help = `Name it in config/${kind}.ts, or install the plugin that brings it: "node ace plugin:list" shows those that are there.`
  }
}
