import { CodedError } from '#drivers/contract_error'

/** `VAULT_DRIVER` names a vault that neither Mosaic nor a plugin provides. */
export class E_VAULT_NOT_INSTALLED extends CodedError {
  static override status = 500

  /** @param causes why its plugin was not loaded, a sentence each */
  constructor(chosen: string, installed: string[], causes: string[] = []) {
    super(
      [`VAULT_DRIVER names the vault "${chosen}", which is not installed.`, ...causes].join(' ')
    )
    this.help = `Install its plugin again (node ace plugin:add), or set VAULT_DRIVER to one of: ${installed.join(', ')}.`
  }
}

/** The setting `runtime.driver` names a runtime that neither Mosaic nor a plugin provides. */
export class E_RUNTIME_NOT_INSTALLED extends CodedError {
  static override status = 500

  /** @param causes why its plugin was not loaded, a sentence each */
  constructor(chosen: string, installed: string[], causes: string[] = []) {
    super(
      [`The settings choose the runtime "${chosen}", which is not installed.`, ...causes].join(' ')
    )
    this.help = `Install its plugin again (node ace plugin:add), or choose another: node ace settings:set runtime.driver ${installed[0]}`
  }
}

/** The record would lose the only key that its events can be checked with. */
export class E_AUDIT_BROKEN extends CodedError {
  static override status = 409
  static override message =
    'The audit record is broken, so the new key cannot vouch for it. No secret was sealed again.'
  static override help =
    'See where with "node ace audit:verify". "node ace vault:rotate --despite-broken-audit" seals the secrets alone; keep the old key for the record.'
}
