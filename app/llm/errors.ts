import { ContractError } from '#drivers/contract_error'

/** A user-entered address that Mosaic refuses to call. */
export class E_BLOCKED_ADDRESS extends ContractError {
  static override code = 'E_BLOCKED_ADDRESS'
  static override status = 422
  static override message = 'This address leads to a network that Mosaic does not call.'
  static override help =
    'An admin can allow a private range under Administration → Security. Metadata and link-local addresses are never allowed.'
}

/** More answers of services are being read than Mosaic has memory for. */
export class E_LLM_ANSWERS_FULL extends ContractError {
  static override code = 'E_LLM_ANSWERS_FULL'
  static override status = 503
  static override message = 'Mosaic reads as many answers of providers as it has room for.'
  static override help = 'Try again in a few seconds, or make fewer calls at the same time.'
  readonly retryAfterSec = 5
}

/** The provider's row names an adapter that is not installed. */
export class E_UNKNOWN_PROVIDER_TYPE extends ContractError {
  static override code = 'E_UNKNOWN_PROVIDER_TYPE'
  static override status = 422
  static override message = 'This kind of provider is not known here.'
  static override help =
    'Choose one of the kinds that the form lists, or install its plugin (node ace plugin:add).'
  readonly field = 'type'
}
