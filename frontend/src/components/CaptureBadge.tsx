import { useId, useState } from "react";
import type { CaptureStatus } from "../api/types";
import { CAPTURE_LABEL, CAPTURE_MEANING } from "../lib/names";
import { noteParts } from "../lib/note";
import { CopyableText } from "./CopyableText";
import { ChevronDown } from "./Icon";

const TONE = {
  af_packet: "border-line text-muted",
  libpcap: "border-line text-muted",
  sock_diag: "border-warn/40 bg-warn-wash text-warn",
  host_pairs: "border-warn/40 bg-warn-wash text-warn",
  counters: "border-warn/40 bg-warn-wash text-warn",
} as const;

/** How a host's flows are seen; opens to what that means and to the command that would make it better. */
export function CaptureBadge({ capture, host }: { capture: CaptureStatus; host: string }) {
  const [open, setOpen] = useState(false);
  const panelId = useId();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button inside opened.
    <div className="min-w-0" onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
      <button
        type="button"
        aria-expanded={open}
        aria-controls={panelId}
        aria-label={`Capture: ${CAPTURE_LABEL[capture.method]} on ${host}`}
        onClick={() => setOpen(!open)}
        className={`inline-flex items-center gap-1 rounded-md border px-2 py-0.5 text-xs font-medium hover:border-line-strong ${TONE[capture.method]}`}
      >
        {CAPTURE_LABEL[capture.method]}
        <ChevronDown
          aria-hidden="true"
          className={`size-3 transition-transform ${open ? "rotate-180" : ""}`}
        />
      </button>
      <div id={panelId} hidden={!open} className="mt-2">
        {open && <CaptureExplanation capture={capture} />}
      </div>
    </div>
  );
}

/** What the capture method means, and what is missing for a better one. */
export function CaptureExplanation({ capture }: { capture: CaptureStatus }) {
  const interfaces = capture.interfaces ?? [];
  return (
    <div className="space-y-2 text-sm text-muted">
      <p>
        {CAPTURE_MEANING[capture.method]}
        {interfaces.length > 0 && ` Captured: ${interfaces.join(", ")}.`}
      </p>
      {capture.note &&
        noteParts(capture.note).map((part) =>
          part.kind === "command" ? (
            <CopyableText key={part.text} text={part.text} label="command" />
          ) : (
            <p key={part.text}>{part.text}</p>
          ),
        )}
    </div>
  );
}
