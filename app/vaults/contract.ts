/**
 * What a vault does: it seals secrets before they are stored and opens them again.
 *
 * A sealed value is a string that begins with `enc:` and names the key that sealed it. It is bound to
 * its context, so a value copied to another row, column or table does not open.
 */

/** Where a sealed value lives. All three are authenticated, none is secret. */
export interface SealContext {
  table: string
  column: string
  rowId: string
}

/** Something that is wrong or worth knowing, and how to mend it. */
export interface VaultFinding {
  severity: 'error' | 'warning'
  message: string
  hint: string
}

export interface VaultDriver {
  readonly name: string

  /**
   * Seals a secret with the present key. Two calls with the same input give different values.
   * Fails only when the vault itself cannot be reached.
   */
  seal(plain: string, context: SealContext): Promise<string>

  /**
   * Opens a sealed value.
   *
   * @throws E_VAULT_UNKNOWN_KEY when the key that sealed it is not known
   * @throws E_VAULT_TAMPERED when it was altered, or sealed for another context
   */
  open(sealed: string, context: SealContext): Promise<string>

  /** The id of the key that sealed the value, or null for what is no sealed value. Never throws. */
  keyId(sealed: string): string | null

  /**
   * Seals the value anew when another than the present key sealed it; else gives it back as it is,
   * which makes a rotation resumable. Fails as `open` does.
   */
  reseal(sealed: string, context: SealContext): Promise<string>

  /** What is wrong with this vault here. An empty list is health. Never throws. */
  preflight(): Promise<VaultFinding[]>
}
