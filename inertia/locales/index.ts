import { en } from '~/locales/en'
import type { admin } from '~/locales/en_admin'
import type { chat } from '~/locales/en_chat'
import type { knowledge, tasks } from '~/locales/en_knowledge'
import type { settings } from '~/locales/en_settings'

type Texts = typeof en & {
  admin: typeof admin
  chat: typeof chat
  knowledge: typeof knowledge
  settings: typeof settings
  tasks: typeof tasks
}

type Leaves<Node> = {
  [Key in keyof Node & string]: Node[Key] extends string ? Key : `${Key}.${Leaves<Node[Key]>}`
}[keyof Node & string]

/** Dotted path of a text. */
export type MessageKey = Leaves<Texts>

export const LANGUAGE = 'en'

const plurals = new Intl.PluralRules(LANGUAGE)

const texts: Record<string, unknown> = { ...en }

/** Adds texts that only some pages need, before the first of them is shown. */
export function addTexts(more: Partial<Texts>) {
  Object.assign(texts, more)
}

function find(key: string): string | undefined {
  let node: unknown = texts
  for (const part of key.split('.')) node = (node as Record<string, unknown> | undefined)?.[part]
  return typeof node === 'string' ? node : undefined
}

function fill(text: string, values: Record<string, string | number>): string {
  const forms = text.split(' | ')
  const form = forms.length > 1 && plurals.select(Number(values.count)) !== 'one' ? 1 : 0
  return forms[form].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole))
}

/** Returns the text of a key. `{name}` is substituted from `values`; `count` selects from `one | many`. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return fill(find(key) ?? key, values)
}

/** As `t`, for keys built from API values: returns the fallback for unknown keys. */
export function tOr(key: string, fallback: string, values: Record<string, string | number> = {}) {
  return fill(find(key) ?? fallback, values)
}
