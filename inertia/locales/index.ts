import { en } from '~/locales/en'
import type { admin } from '~/locales/en_admin'

type Texts = typeof en & { admin: typeof admin }

type Leaves<Node> = {
  [Key in keyof Node & string]: Node[Key] extends string ? Key : `${Key}.${Leaves<Node[Key]>}`
}[keyof Node & string]

/** The dotted path of a text. */
export type MessageKey = Leaves<Texts>

export const LANGUAGE = 'en'

const plurals = new Intl.PluralRules(LANGUAGE)

const texts: Record<string, unknown> = { ...en }

/** Adds texts that not every page needs, before the first page that does is shown. */
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

/** The text of a key. `{name}` is filled from `values`; of `one | many`, `count` picks. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return fill(find(key) ?? key, values)
}

/** As `t`, for a key made of a value the API gave: a value unknown to this page gets the fallback. */
export function tOr(key: string, fallback: string, values: Record<string, string | number> = {}) {
  return fill(find(key) ?? fallback, values)
}
