import { CodedError } from '#drivers/contract_error'

/** A period that ends before it begins, or exceeds the maximum length. */
export class E_USAGE_PERIOD extends CodedError {
  static override status = 422
  static override message = 'The period must begin before it ends, and be a year at most.'
  static override help = 'Send `from` and `to` as days or times, such as 2026-11-01 and 2026-11-30.'
}
