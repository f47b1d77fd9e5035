import { CodedError } from '#drivers/contract_error'

/** The runtime in use runs agents on one machine, or does not say which. */
export class E_RUNTIME_WITHOUT_NODES extends CodedError {
  static override status = 409

  constructor(runtime: string) {
    super(`The runtime "${runtime}" has no nodes: it runs agents on one machine.`)
    this.help =
      'Choose a runtime for several machines, such as Docker Swarm. fleet:sleep empties one machine.'
  }
}

export class E_UNKNOWN_NODE extends CodedError {
  static override status = 404

  constructor(node: string, names: string[]) {
    super(`The runtime has no node "${node}".`)
    this.help = `Name one of these: ${names.join(', ')}.`
  }
}

export class E_AMBIGUOUS_NODE extends CodedError {
  static override status = 409

  constructor(node: string, ids: string[]) {
    super(`Several nodes are called "${node}".`)
    this.help = `Name it by its id: ${ids.join(', ')}.`
  }
}
