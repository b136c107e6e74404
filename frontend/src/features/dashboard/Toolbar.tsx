import { useEffect, useId, useState } from "react";
import { Search } from "../../components/Icon";
import { SORT_LABEL, type SortKey } from "./selection";

interface ToolbarProps {
  query: string;
  sort: SortKey;
  onQuery: (query: string) => void;
  onSort: (sort: string) => void;
}

export function Toolbar({ query, sort, onQuery, onSort }: ToolbarProps) {
  const [searchId, sortId] = [useId(), useId()];
  // Typing must not wait for the address bar; the address bar may also change by itself.
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  return (
    <search className="flex flex-wrap items-center gap-3">
      <div className="relative min-w-0 flex-1 sm:max-w-sm">
        <Search aria-hidden="true" className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
        <label htmlFor={searchId} className="sr-only">
          Search by name or address
        </label>
        <input
          id={searchId}
          type="search"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            onQuery(event.target.value);
          }}
          placeholder="Name or address"
          autoComplete="off"
          spellCheck={false}
          className="w-full rounded-lg border border-line-strong bg-surface py-2 pr-3 pl-9 text-sm placeholder:text-muted"
        />
      </div>
      <div className="flex items-center gap-2 text-sm">
        <label htmlFor={sortId} className="text-muted max-sm:sr-only">
          Sort by
        </label>
        <select
          id={sortId}
          value={sort}
          onChange={(event) => onSort(event.target.value)}
          className="rounded-lg border border-line-strong bg-surface px-2.5 py-2"
        >
          {Object.entries(SORT_LABEL).map(([key, label]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </search>
  );
}
