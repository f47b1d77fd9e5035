import { CodedError } from '#drivers/contract_error'
import { ContractError } from '#drivers/contract_error'

const MAKE_A_KEY = 'Make one with: openssl rand -base64 32'

export class E_DATABASE_URL_MISSING extends CodedError {
  static override message = 'DATABASE_URL is not set, and production needs it.'
  static override help =
    'Set DATABASE_URL to postgres://user:password@host/name, or to sqlite:storage/mosaic.sqlite3 for one machine.'
}

export class E_DATABASE_URL_INVALID extends CodedError {
  static override message = 'DATABASE_URL is neither a PostgreSQL nor a SQLite address.'
  static override help =
    'It looks like postgres://user:password@host/name, with "#" in a password as %23, or sqlite:path/to/file.'
}

/** The folder is missing and cannot be created, is not writable, or the file is something else. */
export class E_DATABASE_FILE extends CodedError {
  static override message = 'The SQLite file of DATABASE_URL cannot be used as a database.'
  static override help =
    'Name a file, new or of Mosaic, in a folder that the user who runs Mosaic may write: sqlite:path/to/file.'
}

export class E_SECRET_KEY_MISSING extends CodedError {
  static override message = 'MOSAIC_SECRET_KEY is not set, and production needs it.'
  static override help = `${MAKE_A_KEY}, and keep it safe: it seals every secret in the database.`
}

export class E_SECRET_KEY_WEAK extends CodedError {
  static override message =
    'MOSAIC_SECRET_KEY holds a key that is too short, too regular or a known example.'
  static override help = MAKE_A_KEY
}

/** The vault does not have the key that sealed the value. */
export class E_VAULT_UNKNOWN_KEY extends ContractError {
  static override code = 'E_VAULT_UNKNOWN_KEY'
  static override status = 500
  static override message = 'A secret was sealed with a key that Mosaic was not given.'
  static override help = 'Give its vault the former key too, and start again.'
}

/** The vault's service does not answer, or refuses for a reason that says nothing about the value. */
export class E_VAULT_UNREACHABLE extends ContractError {
  static override code = 'E_VAULT_UNREACHABLE'
  static override status = 503
  static override message = 'The vault that seals secrets does not answer.'
  static override help =
    'Check that its service runs, that Mosaic reaches it, and that its credentials are valid. Then try again.'
}

/** The vault that sealed the value is not installed: no driver knows the value's format. */
export class E_VAULT_MISSING extends CodedError {
  static override status = 500
  static override help =
    'Install the plugin of that vault again (node ace plugin:add) and restart. To leave it for good, run "node ace vault:rotate" before it goes.'

  constructor(sealed: string) {
    const form = /^enc:[\w.-]{1,40}:/.exec(sealed)?.[0] ?? 'enc:'
    super(`A secret was sealed by a vault that is not installed: it begins with "${form}".`)
  }
}

/** The vault creates new keys at each start, so what it seals is lost at the next one. */
export class E_VAULT_NOT_LASTING extends CodedError {
  static override status = 500
  static override help =
    'Its keys have to be the same at every start: correct its settings or its code. Nothing was sealed.'

  constructor(vault: string, options?: ErrorOptions) {
    super(`What the vault "${vault}" seals does not open in another instance of it.`, options)
  }
}

/** The database's sentinel does not open: the process has another installation's key. */
export class E_VAULT_WRONG_KEY extends ContractError {
  static override code = 'E_VAULT_WRONG_KEY'
  static override status = 500
  static override message = 'MOSAIC_SECRET_KEY is not the key that sealed this database.'
  static override help =
    'Start with the key it was set up with. A new key goes in front of the old one, separated by a comma.'
}

/** The sealed value was altered, or is in a row, column or table that it was not sealed for. */
export class E_VAULT_TAMPERED extends ContractError {
  static override code = 'E_VAULT_TAMPERED'
  static override status = 500
  static override message =
    'A secret does not open: it was altered, or moved from where it was sealed.'
  static override help =
    'Enter the secret again. If nobody changed the database by hand, restore a backup.'
}

/** Code tried to write an unsealed value to a sealed column. */
export class E_VAULT_NOT_SEALED extends ContractError {
  static override code = 'E_VAULT_NOT_SEALED'
  static override status = 500
  static override message = 'A secret was about to be stored without being sealed.'
  static override help = 'Use seal() of the model to set a sealed column.'
}

/** The data key that sealed a text is gone, with all it sealed. */
export class E_DATA_KEY_GONE extends CodedError {
  static override status = 410
  static override message = 'This cannot be read any more: the key that sealed it was deleted.'
  static override help =
    'Delete what it sealed, under Settings → Knowledge. Only a backup from before holds the key.'
}
