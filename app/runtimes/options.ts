/** Runtime driver options, set by an admin under Administration → Runtime. */
import { CodedError } from '#drivers/contract_error'

interface OptionWords {
  /** The option's name in the driver: `region`, `subnetSize`. */
  name: string
  /** Label of the form field. */
  label: string
  /** One sentence beside the field. */
  help?: string
  /**
   * Set it for an option that names the machine or the program that receives agents' data: then admins see it, and
   * only the operator changes it, on the command line.
   */
  changedBy?: 'operator'
}

/** One form field, by the type of its value. The default applies until an admin sets a value. */
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

/** Values of declared options, by name. Unset texts and secrets are null. */
export type RuntimeOptionValues<
  Options extends readonly RuntimeOption[] = readonly RuntimeOption[],
> = { [Option in Options[number] as Option['name']]: ValueOf<Option> }

/** A plugin declares an option that cannot be shown in a form. */
export class E_RUNTIME_OPTION extends CodedError {
  static override status = 500
  static override help = 'Correct the options that the plugin gives to extend().'
}

/** Returns the value of an unset option. */
export function defaultOf(option: RuntimeOption): string | number | boolean | null {
  return option.type === 'secret' ? null : (option.default ?? null)
}

/** Returns the values of unset options, for drivers under test. */
export function defaultsOf<const Options extends readonly RuntimeOption[]>(
  options: Options
): RuntimeOptionValues<Options> {
  const values = options.map((option) => [option.name, defaultOf(option)])
  return Object.fromEntries(values)
}

/** @throws E_RUNTIME_OPTION for an invalid or repeated name, or a default that is not among the choices */
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
