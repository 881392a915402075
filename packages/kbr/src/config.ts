import { InvalidValueError } from './errors.ts'

/** Smallest and largest allowed value of each of these parameters; all are whole numbers. */
export type Bounds<Fields extends string> = { readonly [Field in Fields]: readonly [least: number, most: number] }

/**
 * The parameters of `name`: `defaults` with `changes`. Throws {@link InvalidValueError} naming the field when one of the changes is no parameter, or one that
 * has bounds is not a whole number within them.
 */
export function configOf<Config extends object, Fields extends keyof Config & string>(
  name: string,
  defaults: Config,
  changes: Partial<Config>,
  bounds: Bounds<Fields>,
): Config {
  for (const [field, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaults, field)) throw new InvalidValueError(`${name}.${field}`, value, 'nothing: there is no such parameter')
  }
  const config = { ...defaults, ...changes }
  for (const field of Object.keys(bounds) as Fields[]) {
    const [least, most] = bounds[field]
    const value = config[field]
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      throw new InvalidValueError(`${name}.${field}`, value, `a whole number from ${least} to ${most}`)
    }
  }
  return config
}
