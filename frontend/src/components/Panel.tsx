import { type ReactNode, useId } from "react";

interface PanelProps {
  title: string;
  /** Anchor of the section. */
  id?: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  level?: 2 | 3;
}

/** A titled section. */
export function Panel({ title, id, note, actions, children, className = "", level = 2 }: PanelProps) {
  const headingId = useId();
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <section
      id={id}
      aria-labelledby={headingId}
      className={`min-w-0 rounded-xl border border-line bg-surface shadow-card ${className}`}
    >
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 pt-3.5 pb-2 sm:px-5">
        <div className="min-w-0">
          <Heading id={headingId} className="font-semibold tracking-tight">
            {title}
          </Heading>
          {note && <p className="text-sm text-muted">{note}</p>}
        </div>
        {actions}
      </header>
      <div className="px-4 pb-4 sm:px-5">{children}</div>
    </section>
  );
}
