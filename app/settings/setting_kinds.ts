import type { SchemaTypes } from '@vinejs/vine/types'

/**
 * Who may change a setting.
 *
 * - `operator`: only the command line, because the setting names the machine or the program that receives
 *   agents' data.
 * - `provenAdmin`: an admin whose session holds a fresh proof, because the setting decides who gets in, for how
 *   long, or where invitations go.
 */
export type ChangedBy = 'operator' | 'provenAdmin'

/** Texts and choices of a setting for which the pages have none of their own, such as a plugin's. */
export interface SettingForm {
  label: string
  help: string | null
  choices: { value: string; label: string }[] | null
}

/** One setting: its default, its type, and who may change it. */
export interface Definition<Value> {
  default: Value
  /** Sealed in the database, never readable through the API. */
  secret?: true
  /** Maintained by Mosaic: neither listed nor changed through the API. */
  internal?: true
  /** Default: any admin, with a session or an access token. */
  changedBy?: ChangedBy
  /** Default: the texts of the pages. */
  form?: SettingForm
  /** Schema of a value that arrives as text or JSON. */
  schema: SchemaTypes
}

export const setting = <Value>(definition: Definition<Value>) => definition
export const operatorSetting = <Value>(definition: Definition<Value>) =>
  setting<Value>({ ...definition, changedBy: 'operator' })
export const signInSetting = <Value>(definition: Definition<Value>) =>
  setting<Value>({ ...definition, changedBy: 'provenAdmin' })

/** Returns whether the setting holds a text, so that a text for it is never read as JSON. */
export function holdsText({ schema }: Definition<unknown>): boolean {
  const { type, enum: choices } = schema.toJSONSchema()
  if (choices) return choices.every((choice) => typeof choice === 'string')
  return [type].flat().includes('string')
}
