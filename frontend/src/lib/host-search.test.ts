import { expect, it } from "vitest";
import { parseHostSearch } from "./host-search";

it("takes only ranges that exist", () => {
  expect(parseHostSearch({ range: "30m", flow: "tcp 443" })).toEqual({ range: "30m", flow: "tcp 443" });
  expect(parseHostSearch({ range: "7d", flow: "" })).toEqual({});
  expect(parseHostSearch({ range: "constructor" })).toEqual({});
});
