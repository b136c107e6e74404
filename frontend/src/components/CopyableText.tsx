import { useState } from "react";
import { Check, Copy } from "./Icon";

/** A command or address with a button that copies it; selecting it by hand takes all of it. */
export function CopyableText({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  // Absent outside secure contexts, such as plain HTTP from another machine.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  const copy = async () => {
    await clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <span className="flex max-w-full items-start gap-2 rounded-lg border border-line bg-sunken px-2.5 py-1.5">
      <code className="min-w-0 flex-1 select-all font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
        {text}
      </code>
      {clipboard && (
        <button
          type="button"
          onClick={() => void copy()}
          className="-m-0.5 rounded p-1 text-muted hover:text-ink"
          aria-label={copied ? "Copied" : `Copy ${label}`}
        >
          {copied ? (
            <Check aria-hidden="true" className="size-3.5 text-good" />
          ) : (
            <Copy aria-hidden="true" className="size-3.5" />
          )}
        </button>
      )}
    </span>
  );
}
