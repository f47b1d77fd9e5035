/**
 * Checks of request bodies. A check returns the value to send on, or throws a Refusal that names the field.
 *
 * The proxy rebuilds each body from checked values and never forwards the original: the engine reads the keys of
 * JSON without regard to case and takes the last of two, so a text that looks harmless here could be read
 * as something else there.
 */
import { Refusal } from '#socket_proxy/refusal'

/** @param at the way to the value, for the message: `HostConfig.Memory` */
export type Check = (value: unknown, at: string) => unknown

/**
 * An object with these keys. Any other key is refused unless it is empty, and is then left out: clients
 * send many a null, and an empty value asks for nothing.
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

/** Left out, null, or as the check says. */
export function optional(check: Check): Check {
  return (value, at) => (value === undefined || value === null ? undefined : check(value, at))
}

/** One of these values and no other. */
export function oneOf(...allowed: unknown[]): Check {
  return (value, at) => {
    if (allowed.includes(value)) return value
    throw new Refusal(`${at} must be ${allowed.map((one) => JSON.stringify(one)).join(' or ')}`)
  }
}

/** A number between two bounds, both allowed. */
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

/** An object whose keys are not known beforehand, only what they look like. */
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
