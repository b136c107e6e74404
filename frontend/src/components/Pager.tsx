import { ChevronLeft, ChevronRight } from "./Icon";

interface PagerProps {
  /** What is paged, such as `flows`. */
  noun: string;
  page: number;
  pageSize: number;
  total: number;
  onPage: (page: number) => void;
}

/** Which rows of how many are shown, and buttons to the others; nothing where one page holds all. */
export function Pager({ noun, page, pageSize, total, onPage }: PagerProps) {
  if (total <= pageSize) return null;
  const last = Math.ceil(total / pageSize) - 1;
  const button =
    "rounded-lg border border-line p-1.5 hover:bg-sunken disabled:cursor-default disabled:text-muted/50 disabled:hover:bg-transparent";
  return (
    <nav
      aria-label={`Pages of ${noun}`}
      className="mt-3 flex items-center justify-end gap-2 text-sm text-muted"
    >
      <p className="tabular" aria-live="polite">
        {page * pageSize + 1}–{Math.min(total, (page + 1) * pageSize)} of {total}
      </p>
      <button
        type="button"
        className={button}
        disabled={page === 0}
        onClick={() => onPage(page - 1)}
        aria-label={`Previous page of ${noun}`}
      >
        <ChevronLeft aria-hidden="true" className="size-4" />
      </button>
      <button
        type="button"
        className={button}
        disabled={page >= last}
        onClick={() => onPage(page + 1)}
        aria-label={`Next page of ${noun}`}
      >
        <ChevronRight aria-hidden="true" className="size-4" />
      </button>
    </nav>
  );
}
