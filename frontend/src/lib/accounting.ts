/** The identity of bytes: kernel = attributed + overflow + non-IP + malformed + residual, per direction. */

import type { InterfaceSum } from "../api/types";

export interface Account {
  direction: "ingress" | "egress";
  kernel: number;
  terms: {
    attributed: number;
    overflow: number;
    nonIp: number;
    malformed: number;
    /** Absent while the kernel's counter has no two readings. */
    residual: number | null;
  };
  /** Kernel less all terms: 0 where every report has a kernel reading; absent without a residual. */
  difference: number | null;
}

/** Both directions of a captured interface; none for one that is not captured. */
export function accounts(sum: InterfaceSum): Account[] {
  const { captured } = sum;
  if (!captured) return [];
  return (["ingress", "egress"] as const).map((direction) => {
    const of = captured[direction];
    const terms = {
      attributed: of.attributed.bytes,
      overflow: of.overflow?.bytes ?? 0,
      nonIp: of.non_ip?.bytes ?? 0,
      malformed: of.malformed?.bytes ?? 0,
      residual: sum.residual_bytes?.[direction] ?? null,
    };
    const kernel = sum.kernel[direction].bytes;
    const counted = terms.attributed + terms.overflow + terms.nonIp + terms.malformed;
    const difference = terms.residual === null ? null : kernel - counted - terms.residual;
    return { direction, kernel, terms, difference };
  });
}
