import { isRange, RANGES, type Range } from "../../lib/host-search";

const SECTIONS = [
  ["charts", "Charts"],
  ["peers", "Peers"],
  ["flows", "Flows"],
  ["accounting", "Accounting"],
  ["interfaces", "Interfaces"],
  ["system", "System"],
] as const;

const RANGE_LABEL: Record<Range, string> = {
  "5m": "5 minutes",
  "10m": "10 minutes",
  "30m": "30 minutes",
  "60m": "60 minutes",
};

/** Ways to the sections, and the range of the charts; stays in sight. */
export function SectionBar({ range, onRange }: { range: Range; onRange: (range: Range) => void }) {
  return (
    <div className="sticky top-14 z-20 -mx-4 border-b border-line bg-canvas px-4 py-2 sm:-mx-6 sm:px-6">
      <div className="flex items-center justify-between gap-4">
        <nav aria-label="Sections" className="min-w-0 overflow-x-auto">
          <ul className="flex gap-1 text-sm font-medium">
            {SECTIONS.map(([id, label]) => (
              <li key={id}>
                <a
                  href={`#${id}`}
                  className="block rounded-lg px-2.5 py-1.5 text-muted hover:bg-sunken hover:text-ink"
                >
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <fieldset className="flex shrink-0 rounded-lg border border-line bg-surface p-0.5 text-sm">
          <legend className="sr-only">Range of the charts</legend>
          {Object.keys(RANGES)
            .filter(isRange)
            .map((option) => (
              <label
                key={option}
                title={RANGE_LABEL[option]}
                className="tabular cursor-pointer rounded-md px-2 py-1 text-muted hover:text-ink has-checked:bg-accent-wash has-checked:font-medium has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent"
              >
                <input
                  type="radio"
                  name="range"
                  value={option}
                  checked={range === option}
                  onChange={() => onRange(option)}
                  aria-label={RANGE_LABEL[option]}
                  className="sr-only"
                />
                {option}
              </label>
            ))}
        </fieldset>
      </div>
    </div>
  );
}
