import type { SchemaTypes } from '@vinejs/vine/types'

/**
 * Who may change a setting.
 *
 * - `operator`: the command line alone, because the setting names the machine or the program that agents'
 *   data goes to.
 * - `provenAdmin`: an admin whose session holds a fresh proof, because the setting decides who comes in,
 *   for how long, or where invitations go.
 */
export type ChangedBy = 'operator' | 'provenAdmin'

/** One setting: its default, its type, and who may change it. */
export interface Definition<Value> {
  default: Value
  /** Sealed in the database, never read back through the API. */
  secret?: true
  /** Kept by Mosaic itself: neither listed nor changed through the API. */
  internal?: true
  /** Left out: any admin, with a session or an access token. */
  changedBy?: ChangedBy
  /** What a value must be, as text or JSON arrives. */
  schema: SchemaTypes
}

export const setting = <Value>(definition: Definition<Value>) => definition
export const operatorSetting = <Value>(definition: Definition<Value>) =>
  setting<Value>({ ...definition, changedBy: 'operator' })
export const signInSetting = <Value>(definition: Definition<Value>) =>
  setting<Value>({ ...definition, changedBy: 'provenAdmin' })
