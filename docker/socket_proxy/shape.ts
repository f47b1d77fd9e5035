/**
 * Checks of request bodies. A check returns the value to forward, or throws a Refusal that names the field.
 *
 * The proxy rebuilds each body from checked values and never forwards the original: the engine matches JSON
 * keys case-insensitively and takes the last of two, so a body that looks harmless here could be parsed
 * differently there.
 */
import { Refusal } from '#socket_proxy/refusal'

/** @param at the path to the value, for the message: `HostConfig.Memory` */
export type Check = (value: unknown, at: string) => unknown

/**
 * An object with these keys. Other keys are refused unless empty, in which case they are dropped: clients send
 * many nulls, and an empty value requests nothing.
 */
export function object(shape: Record<string, Check>): Check {
  return (value, at) => {
    if (!isObject(value)) throw new Refusal(`${at || 'The body'} must be an object`, 400)
    for (const [key, inside] of Object.entries(value)) {
      if (!Object.hasOwn(shape, key) && !isEmpty(inside)) {
        throw new Refusal(`${join(at, key)} is not allowed`)
      }
    }
    const checked: Record<string, unknown> = {}
    for (const [key, check] of Object.entries(shape)) {
      const inside = check(Object.hasOwn(value, key) ? value[key] : undefined, join(at, key))
      if (inside !== undefined) checked[key] = inside
    }
    return checked
  }
}

/** Omitted, null, or valid for the check. */
export function optional(check: Check): Check {
  return (value, at) => (value === undefined || value === null ? undefined : check(value, at))
}

/** Exactly one of these values. */
export function oneOf(...allowed: unknown[]): Check {
  return (value, at) => {
    if (allowed.includes(value)) return value
    throw new Refusal(`${at} must be ${allowed.map((one) => JSON.stringify(one)).join(' or ')}`)
  }
}

/** These words and no others. */
export function exactly(words: string[]): Check {
  return (value, at) => {
    if (JSON.stringify(value) === JSON.stringify(words)) return [...words]
    throw new Refusal(`${at} must be ${words.join(' ')}`)
  }
}

/** A number between two bounds, inclusive. */
export function between(min: number, max: number): Check {
  return (value, at) => {
    if (typeof value === 'number' && value >= min && value <= max) return value
    throw new Refusal(`${at} must be a number from ${min} to ${max}`)
  }
}

export const flag: Check = oneOf(true, false)

export function text(pattern: RegExp): Check {
  return (value, at) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw new Refusal(`${at} is not as it must be`)
  }
}

export function list(check: Check, { min = 0, max = 256 } = {}): Check {
  return (value, at) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw new Refusal(`${at} must be a list of ${min} to ${max} values`)
    }
    return value.map((one, index) => check(one, `${at}[${index}]`))
  }
}

/** An object whose keys match a pattern. */
export function record(keys: RegExp, check: Check): Check {
  return (value, at) => {
    if (!isObject(value)) throw new Refusal(`${at} must be an object`, 400)
    return Object.fromEntries(
      Object.entries(value).map(([key, inside]) => {
        if (!keys.test(key)) throw new Refusal(`${join(at, key)} is not allowed`)
        return [key, check(inside, join(at, key))]
      })
    )
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isObject(value)) return Object.keys(value).length === 0
  return !value
}

function join(at: string, key: string): string {
  return at ? `${at}.${key}` : key
}
