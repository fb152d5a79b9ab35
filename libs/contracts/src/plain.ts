import type { JsonObject, Message } from '@bufbuild/protobuf';

/**
 * The JSON shape of a proto message: what is stored, sent and folded. Exact for messages made of strings, 32-bit
 * integers, doubles, booleans, Struct, messages and lists of them, which is all that `proto/` uses.
 */
export type Plain<T> = T extends JsonObject & { $typeName?: never }
  ? T
  : T extends Message
    ? { [K in keyof T as K extends '$typeName' | '$unknown' ? never : K]: Plain<T[K]> }
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T;

/** `T` with narrower types for some of its fields. */
export type Refine<T, R> = Omit<Plain<T>, keyof R> & R;
