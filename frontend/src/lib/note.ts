/** A note of an agent in parts: prose, and the command that it names in backticks or after its last colon. */

export interface NotePart {
  kind: "text" | "command";
  text: string;
}

export function noteParts(note: string): NotePart[] {
  const [, before = "", command] = /^([^`]*:)\s+(sudo [^`]+)$/.exec(note) ?? [];
  if (command !== undefined) {
    return [
      { kind: "text", text: before },
      { kind: "command", text: command.trim() },
    ];
  }
  return note
    .split(/`([^`]+)`/)
    .map((text, index): NotePart => ({ kind: index % 2 === 1 ? "command" : "text", text: text.trim() }))
    .filter((part) => part.text !== "");
}
