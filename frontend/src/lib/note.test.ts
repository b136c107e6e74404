import { expect, it } from "vitest";
import { noteParts } from "./note";

it("takes the command out of the backticks", () => {
  expect(noteParts("needs CAP_NET_RAW: `setcap cap_net_raw+ep bwmon-agent`, then restart")).toEqual([
    { kind: "text", text: "needs CAP_NET_RAW:" },
    { kind: "command", text: "setcap cap_net_raw+ep bwmon-agent" },
    { kind: "text", text: ", then restart" },
  ]);
});

it("leaves a note without a command, or with half a pair, as it is", () => {
  expect(noteParts("nothing to do")).toEqual([{ kind: "text", text: "nothing to do" }]);
  expect(noteParts("odd ` tick")).toEqual([{ kind: "text", text: "odd ` tick" }]);
});

it("takes a command from the end of the note", () => {
  expect(noteParts("TCP only: not permitted; grant it with: sudo setcap cap_net_raw+ep '/opt/a b'")).toEqual([
    { kind: "text", text: "TCP only: not permitted; grant it with:" },
    { kind: "command", text: "sudo setcap cap_net_raw+ep '/opt/a b'" },
  ]);
});
