import type { InterfaceInterval } from "../../api/types";
import { formatBytesExact, formatCount } from "../../lib/format";
import { ethertypeName } from "../../lib/names";

interface Entry {
  name: string;
  bytes: number;
  packets: number;
}

/** What the non-IP and malformed frames of the last report were. */
export function Breakdown({ part }: { part: InterfaceInterval }) {
  const nonIp = (part.non_ip ?? []).map(({ ethertype, tally }) => ({
    name: ethertypeName(ethertype),
    ...tally,
  }));
  const malformed = (part.malformed ?? []).map(({ layer, reason, tally }) => ({
    name: `${layer}: ${reason}`,
    ...tally,
  }));
  return (
    <>
      <Entries title="Non-IP, last report" entries={nonIp} />
      <Entries title="Malformed, last report" entries={malformed} />
    </>
  );
}

function Entries({ title, entries }: { title: string; entries: readonly Entry[] }) {
  if (entries.length === 0) return null;
  return (
    <div className="text-xs">
      <h4 className="text-muted">{title}</h4>
      <ul className="mt-0.5 flex flex-wrap gap-x-4 gap-y-0.5">
        {entries.map(({ name, bytes, packets }) => (
          <li key={name} className="tabular">
            <span className="font-medium">{name}</span> {formatBytesExact(bytes)} in {formatCount(packets)}{" "}
            {packets === 1 ? "frame" : "frames"}
          </li>
        ))}
      </ul>
    </div>
  );
}
