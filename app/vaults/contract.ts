/**
 * A vault seals secrets before Mosaic stores them, and opens them again.
 *
 * A sealed value is a string that begins with `enc:` and names the key that sealed it. It is bound to its
 * context, so a value copied to another row, column or table does not open.
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
   * Prefix of its sealed values, such as `enc:v1:`. It lets Mosaic tell an altered value of this vault from a
   * value of a vault that is not installed.
   */
  readonly prefix?: string

  /**
   * Seals a secret with the current key. Two calls with the same input return different values. The value is
   * `enc:` and printable ASCII without spaces, of any length.
   *
   * @throws E_VAULT_UNREACHABLE, or another error of status 503, and only if the vault itself fails
   */
  seal(plain: string, context: SealContext): Promise<string>

  /**
   * Opens a sealed value.
   *
   * @throws E_VAULT_UNKNOWN_KEY if the key that sealed it is unknown
   * @throws E_VAULT_TAMPERED if it was altered, or sealed for another context
   * @throws E_VAULT_UNREACHABLE, or another error of status 503, if the vault cannot tell
   */
  open(sealed: string, context: SealContext): Promise<string>

  /**
   * Returns the ID of the key that sealed the value, or null if the value is not sealed or not in this vault's
   * format. Mosaic uses it to find a value's vault. Never throws.
   */
  keyId(sealed: string): string | null

  /**
   * Reseals the value with the current key if another key sealed it; otherwise returns it unchanged, so that a
   * rotation can resume. Fails like `open`.
   */
  reseal(sealed: string, context: SealContext): Promise<string>

  /** Returns this vault's faults, for `node ace doctor`. An empty list means healthy. Never throws. */
  preflight(): Promise<VaultFinding[]>
}
