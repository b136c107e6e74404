import { describe, expect, it } from "vitest";
import { mountUsedPercent } from "./usage";

describe("mountUsedPercent", () => {
  it("leaves out what is reserved for root, as df does", () => {
    expect(mountUsedPercent({ used_bytes: 30, available_bytes: 60 })).toBeCloseTo(33.33, 2);
  });

  it("says nothing of an empty file system", () => {
    expect(mountUsedPercent({ used_bytes: 0, available_bytes: 0 })).toBeNull();
  });
});
