/** A note of an agent in parts: prose, and the commands that it sets in backticks. */

export interface NotePart {
  kind: "text" | "command";
  text: string;
}

export function noteParts(note: string): NotePart[] {
  return note
    .split(/`([^`]+)`/)
    .map((text, index): NotePart => ({ kind: index % 2 === 1 ? "command" : "text", text: text.trim() }))
    .filter((part) => part.text !== "");
}
