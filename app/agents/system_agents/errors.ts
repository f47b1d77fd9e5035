import { CodedError } from '#drivers/contract_error'

export class E_SYSTEM_AGENT_NAME extends CodedError {
  static override status = 409
  static override message = 'There is a system agent of this name already.'
  static override help = 'Choose another name.'
  readonly field = 'name'
}

export class E_SYSTEM_AGENT_RENAMED extends CodedError {
  static override status = 422
  static override message = 'A system agent keeps its name: what it remembers is kept under it.'
  static override help = 'Make another one of the new name, then delete this one.'
  readonly field = 'name'
}

export class E_UNKNOWN_MODEL extends CodedError {
  static override status = 422
  static override message = 'None of your providers has this model.'
  static override help =
    'Name it as "provider/model", for example work-openai/gpt-5.4, and add it to that provider first.'
  readonly field = 'primaryModel'
}

/** The runtime in use knows no labels of nodes. */
export class E_PLACEMENT_IGNORED extends CodedError {
  static override status = 422
  readonly field = 'placement'

  constructor(runtime: string) {
    super(`The runtime "${runtime}" does not place agents by labels of nodes.`)
    this.help =
      'Leave placement out, or choose a runtime for several machines, such as Docker Swarm.'
  }
}

export class E_DECLARED_AGENTS_FILE extends CodedError {
  static override status = 422
  static override help = 'Name a readable file with JSON, as examples/system_agents.json.'

  constructor(file: string, options: ErrorOptions) {
    super(`The file ${file} cannot be read as JSON.`, options)
  }
}
