import { Exception } from '@adonisjs/core/exceptions'

/** An error whose code is the name of its class. */
export class CodedError extends Exception {
  constructor(...given: ConstructorParameters<typeof Exception>) {
    super(...given)
    this.code ??= this.constructor.name
  }
}

/** Replaces parts of an error class: `help` is the next step for the person who reads the message. */
export interface ContractErrorOptions {
  help?: string
  cause?: unknown
  status?: number
}

/** An error of a contract, which plugins throw with their own message and next step. */
export class ContractError extends Exception {
  constructor(message?: string, { help, ...options }: ContractErrorOptions = {}) {
    super(message, options)
    if (help) this.help = help
  }
}
