/**
 * A vault seals secrets before Mosaic stores them, and opens them again.
 *
 * A sealed value is a string that begins with `enc:` and names the key that sealed it. It is bound to
 * its context, so a value copied to another row, column or table does not open.
 */

/** The place of a sealed value. The seal authenticates all three parts; none is secret. */
export interface SealContext {
  table: string
  column: string
  rowId: string
}

/** A fault or warning, and how to fix it. */
export interface VaultFinding {
  severity: 'error' | 'warning'
  message: string
  hint: string
}

export interface VaultDriver {
  readonly name: string
  /**
   * What its sealed values begin with, such as `enc:v1:`. By it Mosaic tells an altered value of this vault from
   * one of a vault that is not installed.
   */
  readonly prefix?: string

  /**
   * Seals a secret with the present key. Two calls with the same input return different values.
   * Fails only if the vault itself is unreachable.
   */
  seal(plain: string, context: SealContext): Promise<string>

  /**
   * Opens a sealed value.
   *
   * @throws E_VAULT_UNKNOWN_KEY when the key that sealed it is not known
   * @throws E_VAULT_TAMPERED when it was altered, or sealed for another context
   */
  open(sealed: string, context: SealContext): Promise<string>

  /**
   * Returns the id of the key that sealed the value, or null if the value is not sealed, or not in the form of
   * this vault. Mosaic finds the vault of a value by it. Never throws.
   */
  keyId(sealed: string): string | null

  /**
   * Reseals the value with the present key if another key sealed it; else returns it unchanged, so that
   * a rotation can resume. Fails as `open` does.
   */
  reseal(sealed: string, context: SealContext): Promise<string>

  /** Returns the faults of this vault here. An empty list means healthy. Never throws. */
  preflight(): Promise<VaultFinding[]>
}
