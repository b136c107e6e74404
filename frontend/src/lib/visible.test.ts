import { describe, expect, it } from "vitest";
import { parseVisible, visible } from "./visible";

describe("visible", () => {
  it("spells out what would hide or turn a name", () => {
    expect(visible("evil\u202egnp.exe\u0000\u001b[31m")).toBe("evil\\u{202e}gnp.exe\\u{0}\\u{1b}[31m");
  });

  it("leaves ordinary text of any script alone", () => {
    expect(visible("wébserver-01 数据库 <b>")).toBe("wébserver-01 数据库 <b>");
  });

  it("reaches every string of an answer", () => {
    expect(parseVisible('{"a":["x\\u200ey",1,null],"b":{"c":"z"}}')).toEqual({
      a: ["x\\u{200e}y", 1, null],
      b: { c: "z" },
    });
  });
});
