import hash from '@adonisjs/core/services/hash'

/** Shorter passwords can be guessed. There is no other rule, because rules make worse passwords. */
export const PASSWORD_MIN_LENGTH = 12

/** bcrypt ignores the rest. A longer password is refused: truncated, it would be weaker than it looks. */
export const PASSWORD_MAX_BYTES = 72

/** Verified in place of a missing account's hash, so that an unknown name takes as long as a wrong password. */
let decoy: Promise<string> | null = null

/** Returns whether the password matches the hash. Takes the same time without a hash. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  decoy ??= hash.make('the password of nobody')
  const matches = await hash.verify(stored ?? (await decoy), password)
  return stored !== null && matches
}

export function hashPassword(password: string): Promise<string> {
  return hash.make(password)
}
