import { useId } from "react";
import { SearchField } from "../../components/SearchField";
import { SORT_LABEL, type SortKey } from "./selection";

interface ToolbarProps {
  query: string;
  sort: SortKey;
  onQuery: (query: string) => void;
  onSort: (sort: string) => void;
}

export function Toolbar({ query, sort, onQuery, onSort }: ToolbarProps) {
  const sortId = useId();
  return (
    <search className="flex flex-wrap items-center gap-3">
      <SearchField
        label="Search by name or address"
        placeholder="Name or address"
        value={query}
        onValue={onQuery}
        className="min-w-0 flex-1 sm:max-w-sm"
      />
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
