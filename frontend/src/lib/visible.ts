/**
 * Characters that draw nothing, or turn what follows around: controls and formats, the marks of
 * bidirectional text among them.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;

/** Text from a host as it is, with invisible characters spelled out. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Reads JSON; every string in it is made visible, because any of them may come from a host. */
export function parseVisible<T>(json: string): T {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === "string" ? visible(value) : value,
  ) as T;
}
