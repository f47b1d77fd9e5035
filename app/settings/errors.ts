import { CodedError } from '#drivers/contract_error'

export class E_UNKNOWN_SETTING extends CodedError {
  static override status = 422
  static override message = 'There is no setting of this name.'
  static override help = 'GET /api/v1/admin/settings lists them all.'
  readonly field: string

  constructor(key: string) {
    super()
    this.field = key
  }
}

/** A list, or one setting as `{ key, value }`. */
export class E_SETTINGS_SHAPE extends CodedError {
  static override status = 422
  static override message = 'A change of settings is an object of keys and values.'
  static override help =
    'Send it as { "agents.idleTimeoutMin": 20 }; null goes back to the default.'
}

/** The setting names the machine or the program that receives agents' data. */
export class E_OPERATOR_SETTING extends CodedError {
  static override status = 403
  readonly field: string

  constructor(key: string, value: unknown, isSecret: boolean) {
    super(`Only an operator changes ${key}, on the command line.`)
    this.field = key
    this.help = `Run: ${isSecret ? secretCommand(key) : settingCommand(key, value)}`
  }
}

/** Other users of the machine see arguments, and the shell keeps them. */
export class E_SECRET_IN_ARGUMENTS extends CodedError {
  static override status = 422

  constructor(key: string) {
    super(`${key} is a secret, which the command takes from standard input alone.`)
    this.help = `Run: ${secretCommand(key)}. What was given now stands in the shell's history.`
  }
}

/** Returns the command that sets a secret, which is never an argument. */
const secretCommand = (key: string) => `node ace settings:set ${key} - < file`

/** Returns the command that sets a value, for a POSIX shell. */
function settingCommand(key: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `node ace settings:set ${key} '${text.replaceAll("'", `'\\''`)}'`
}
