import type { MountUsage } from "../api/types";

/** Space in use in percent of what an ordinary user can have, as df shows it. */
export function mountUsedPercent({
  used_bytes,
  available_bytes,
}: Pick<MountUsage, "used_bytes" | "available_bytes">): number | null {
  const usable = used_bytes + available_bytes;
  return usable > 0 ? (used_bytes / usable) * 100 : null;
}
