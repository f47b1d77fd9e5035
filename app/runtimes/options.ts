/** Options of a runtime driver, which an admin sets under Administration → Runtime. */
import { Exception } from '@adonisjs/core/exceptions'

interface OptionWords {
  /** Names the option in the driver: `region`, `subnetSize`. */
  name: string
  /** The name that people see. */
  label: string
  /** One sentence beside the field. */
  help?: string
}

/** One field of the form, by the kind of its value. Without a value of an admin's the default holds. */
export type RuntimeOption = OptionWords &
  (
    | { type: 'text'; default?: string | null; maxLength?: number }
    /** Sealed in the database, and never shown again. */
    | { type: 'secret' }
    | { type: 'number'; default: number; min?: number; max?: number; whole?: boolean }
    | { type: 'flag'; default: boolean }
    | { type: 'choice'; default: string; choices: { value: string; label: string }[] }
  )

type ValueOf<Option> = Option extends { type: 'number' }
  ? number
  : Option extends { type: 'flag' }
    ? boolean
    : Option extends { type: 'choice' }
      ? string
      : string | null

/** The values of declared options, by name: a text or secret that nobody set is null. */
export type RuntimeOptionValues<
  Options extends readonly RuntimeOption[] = readonly RuntimeOption[],
> = { [Option in Options[number] as Option['name']]: ValueOf<Option> }

/** A plugin declares an option that no form can show. */
export class E_RUNTIME_OPTION extends Exception {
  static override code = 'E_RUNTIME_OPTION'
  static override status = 500
  static override help = 'Correct the options that the plugin gives to extend().'
}

/** The value of an option that nobody set. */
export function defaultOf(option: RuntimeOption): string | number | boolean | null {
  return option.type === 'secret' ? null : (option.default ?? null)
}

/** The values of options that nobody set: what a test gives to a driver. */
export function defaultsOf<const Options extends readonly RuntimeOption[]>(
  options: Options
): RuntimeOptionValues<Options> {
  const values = options.map((option) => [option.name, defaultOf(option)])
  return Object.fromEntries(values)
}

/** @throws E_RUNTIME_OPTION for a name that is no plain word or stands twice, and a choice without its default */
export function checkOptions(driver: string, options: readonly RuntimeOption[]): void {
  const names = new Set<string>()
  for (const option of options) {
    const { name } = option
    const refuse = (fault: string) => {
      throw new E_RUNTIME_OPTION(`The option "${name}" of the runtime "${driver}" ${fault}.`)
    }
    if (!/^[a-z][A-Za-z0-9]{0,31}$/.test(name)) refuse('has no name of letters and digits')
    if (names.has(name)) refuse('is declared twice')
    names.add(name)
    if (option.type === 'choice' && !option.choices.some(({ value }) => value === option.default)) {
      refuse('has a default that is none of its choices')
    }
  }
}
