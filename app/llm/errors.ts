import { ContractError } from '#drivers/contract_error'

/** A user-entered address that Mosaic refuses to call. */
export class E_BLOCKED_ADDRESS extends ContractError {
  static override code = 'E_BLOCKED_ADDRESS'
  static override status = 422
  static override message = 'This address leads to a network that Mosaic does not call.'
  static override help =
    'An admin can allow a private range under Administration → Security. Metadata and link-local addresses are never allowed.'
}

/** The provider's row names an adapter that is not installed. */
export class E_UNKNOWN_PROVIDER_TYPE extends ContractError {
  static override code = 'E_UNKNOWN_PROVIDER_TYPE'
  static override status = 422
  static override message = 'This kind of provider is not known here.'
  static override help =
    'Choose one of the kinds that the form lists, or add its adapter to config/llm.ts.'
}
