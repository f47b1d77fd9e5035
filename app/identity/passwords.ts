import hash from '@adonisjs/core/services/hash'

/** Short ones fall to guessing; there is no other rule, because rules make worse passwords. */
export const PASSWORD_MIN_LENGTH = 12

/** bcrypt reads no further. A longer password is refused: cut, it would be weaker than it looks. */
export const PASSWORD_MAX_BYTES = 72

/** Verified in place of a missing account's, so that an unknown name takes as long as a wrong password. */
let decoy: Promise<string> | null = null

/** Whether the password is the one of this hash. Takes as long where there is no hash. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  decoy ??= hash.make('the password of nobody')
  const matches = await hash.verify(stored ?? (await decoy), password)
  return stored !== null && matches
}

export function hashPassword(password: string): Promise<string> {
  return hash.make(password)
}
