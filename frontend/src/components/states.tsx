import type { ReactNode } from "react";
import { CircleAlert, RefreshCw } from "./Icon";

/** A block that stands for content on its way. */
export function Skeleton({ className = "" }: { className?: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-lg bg-sunken ${className}`} />;
}

/** What went wrong, and a way to try again. */
export function Failure({ title, error, retry }: { title: string; error: Error; retry?: () => void }) {
  return (
    <div role="alert" className="rounded-xl border border-bad/40 bg-bad-wash p-5">
      <div className="flex items-start gap-3">
        <CircleAlert aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-bad" />
        <div className="min-w-0 space-y-1">
          <p className="font-semibold">{title}</p>
          <p className="text-sm break-words text-muted">{error.message}</p>
          {retry && (
            <button
              type="button"
              onClick={retry}
              className="mt-2 inline-flex items-center gap-2 rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm font-medium hover:bg-sunken"
            >
              <RefreshCw aria-hidden="true" className="size-4" />
              Try again
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

/** A centred message where there is nothing to list. */
export function Blank({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto max-w-xl rounded-xl border border-dashed border-line-strong p-8 text-center">
      <p className="text-lg font-semibold">{title}</p>
      <div className="mt-2 space-y-3 text-muted">{children}</div>
    </div>
  );
}

/** A line in place of rows. */
export function NoRows({ children }: { children: ReactNode }) {
  return <p className="py-3 text-sm text-muted">{children}</p>;
}
