import { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'

export class E_NAME_TAKEN extends CodedError {
  static override status = 409
  static override message = 'You have a provider of this name already.'
  static override help = 'Choose another name, or change the provider that has it.'
  readonly field = 'name'
}

/** The provider is in use. The message says by what. */
export class E_PROVIDER_IN_USE extends CodedError {
  static override status = 409
  static override help =
    'Choose other models for it first, or delete with "?clear=true" to take it out of your own agent.'

  constructor(dependents: string[]) {
    super(`This provider is in use by ${dependents.join(', ')}.`)
  }
}

/** A system agent must not lose its provider as a side effect. */
export class E_PROVIDER_RUNS_SYSTEM_AGENT extends Exception {
  static override code = 'E_PROVIDER_IN_USE'
  static override status = 409
  static override help =
    'Give these system agents another provider under Administration → System agents first.'

  constructor(names: string[]) {
    super(
      `This provider is in use by ${names.map((name) => `the system agent ${name}`).join(', ')}.`
    )
  }
}

export class E_TOO_MANY_PROVIDERS extends CodedError {
  static override status = 409
  static override help = 'Delete one that you do not use. An admin can allow more.'

  constructor(most: number) {
    super(`You have ${most} providers, and no user may have more.`)
  }
}

/** Every start of an agent and every model list reads them all. */
export class E_PROVIDERS_TOO_LARGE extends CodedError {
  static override status = 413
  static override help = 'Keep the models that you use. An admin can allow more.'
  readonly field = 'models'

  constructor(kilobytes: number) {
    super(`The models of all your providers together may take ${kilobytes} KB.`)
  }
}
