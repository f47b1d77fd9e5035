import vine from '@vinejs/vine'
import type { RuntimeManager } from '#runtimes/manager'
import { defaultOf, type RuntimeOption, type RuntimeOptionValues } from '#runtimes/options'
import { setting, type Definition } from '#settings/setting_kinds'
import type { Settings } from '#settings/settings'

/** Driver options are settings with keys such as `runtime.options.acme.region`. */
const PREFIX = 'runtime.options.'

/** LIKE pattern that matches these keys. */
export const OPTION_KEYS = `${PREFIX}%`

const LONGEST_TEXT = 2048

/** Returns the settings of installed runtimes, by key. */
export function runtimeOptionSettings(
  runtimes: Pick<RuntimeManager, 'names' | 'optionsOf'>
): Map<string, Definition<any>> {
  const all = runtimes.names().flatMap((driver) =>
    runtimes.optionsOf(driver).map((option): [string, Definition<any>] => [
      `${PREFIX}${driver}.${option.name}`,
      setting({
        default: defaultOf(option),
        ...(option.type === 'secret' && { secret: true }),
        ...(option.changedBy && { changedBy: option.changedBy }),
        schema: schemaOf(option),
        form: {
          label: option.label,
          help: option.help ?? null,
          choices: option.type === 'choice' ? option.choices : null,
        },
      }),
    ])
  )
  return new Map(all)
}

/** Returns the option values that admins set for a driver. Secrets are unsealed. */
export async function storedOptions(
  settings: Settings,
  driver: string
): Promise<RuntimeOptionValues> {
  const prefix = `${PREFIX}${driver}.`
  const values = await settings.stored(prefix)
  return Object.fromEntries([...values].map(([key, value]) => [key.slice(prefix.length), value]))
}

function schemaOf(option: RuntimeOption) {
  switch (option.type) {
    case 'number': {
      const number = vine.number()
      if (option.whole) number.withoutDecimals()
      if (option.min !== undefined) number.min(option.min)
      if (option.max !== undefined) number.max(option.max)
      return number
    }
    case 'flag':
      return vine.boolean({ strict: true })
    case 'choice':
      return vine.enum(option.choices.map(({ value }) => value))
    case 'text':
      return vine
        .string()
        .trim()
        .maxLength(option.maxLength ?? LONGEST_TEXT)
        .nullable()
    case 'secret':
      return vine.string().maxLength(LONGEST_TEXT).nullable()
  }
}
