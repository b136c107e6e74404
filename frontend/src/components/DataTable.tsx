import type { ReactNode } from "react";
import { ChevronDown, ChevronsUpDown, ChevronUp } from "./Icon";

export interface Column<Row> {
  key: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** What the column sorts by; absent values come last. A column without it cannot be sorted. */
  sortValue?: (row: Row) => number | string | null | undefined;
  numeric?: boolean;
  /** Extra classes of the column's cells, such as one that hides it on narrow screens. */
  className?: string;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

interface DataTableProps<Row> {
  /** Names the table for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
}

/** A table that scrolls sideways where it must; its first column names the row. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section aria-label={caption} tabIndex={0} className="-mx-4 overflow-x-auto sm:-mx-5">
      <table className="w-full text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-left text-xs text-muted">
            {columns.map((column) => (
              <HeaderCell key={column.key} column={column} sorting={props.sorting} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className="border-b border-line/60 last:border-0 hover:bg-sunken/50">
              {columns.map((column, index) => {
                const Cell = index === 0 ? "th" : "td";
                return (
                  <Cell
                    key={column.key}
                    scope={index === 0 ? "row" : undefined}
                    className={`px-2 py-1.5 text-left align-top font-normal first:pl-4 last:pr-4 sm:first:pl-5 sm:last:pr-5 ${column.numeric ? "text-right whitespace-nowrap" : ""} ${column.className ?? ""}`}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The rows in the order that `sorting` asks for; equal ones keep theirs, absent values come last. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { key, descending }: Sorting,
): Row[] {
  const value = columns.find((column) => column.key === key)?.sortValue;
  if (value === undefined) return [...rows];
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a) ?? null, value(b) ?? null];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  });
}

interface HeaderCellProps<Row> {
  column: Column<Row>;
  sorting: Sorting | undefined;
  onSort: ((sorting: Sorting) => void) | undefined;
}

function HeaderCell<Row>({ column, sorting, onSort }: HeaderCellProps<Row>) {
  const active = sorting?.key === column.key;
  const classes = `px-2 py-2 font-medium first:pl-4 last:pr-4 sm:first:pl-5 sm:last:pr-5 ${column.numeric ? "text-right" : ""} ${column.className ?? ""}`;
  if (column.sortValue === undefined || onSort === undefined) {
    return (
      <th scope="col" className={`${classes} whitespace-nowrap`}>
        {column.header}
      </th>
    );
  }
  const Arrow = active ? (sorting.descending ? ChevronDown : ChevronUp) : ChevronsUpDown;
  return (
    <th
      scope="col"
      aria-sort={active ? (sorting.descending ? "descending" : "ascending") : undefined}
      className={classes}
    >
      <button
        type="button"
        onClick={() =>
          onSort({ key: column.key, descending: active ? !sorting.descending : (column.numeric ?? false) })
        }
        className={`inline-flex items-center gap-1 whitespace-nowrap hover:text-ink ${active ? "text-ink" : ""}`}
      >
        {column.header}
        <Arrow aria-hidden="true" className="size-3.5" />
      </button>
    </th>
  );
}
