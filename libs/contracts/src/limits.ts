/** Bounds that several parts must agree on. Bytes are UTF-8. */
export const MAX_PROMPT_BYTES = 128 * 1024;
export const MAX_TITLE_CHARS = 200;
/** A longer string inside an event is cut to head, tail and an object. */
export const MAX_EVENT_STRING_BYTES = 16 * 1024;
/** A longer list inside an event is cut. */
export const MAX_EVENT_LIST_ITEMS = 500;
export const MAX_EVENTS_PER_APPEND = 256;
export const MAX_APPEND_BYTES = 512 * 1024;
/** Of one object: a patch, a bundle, a tool's output. */
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024;
