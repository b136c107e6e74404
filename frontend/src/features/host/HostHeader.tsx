import type { ReactNode } from "react";
import type { HostDetail, HostSummary } from "../../api/types";
import { CaptureBadge, CaptureExplanation } from "../../components/CaptureBadge";
import { CopyableText } from "../../components/CopyableText";
import { Clock3, Radar, TriangleAlert } from "../../components/Icon";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { ABSENT } from "../../lib/format";
import { CAPTURE_LABEL, CLONE_MEANING } from "../../lib/names";
import { clockOff, formatDuration, formatMoment, milliseconds } from "../../lib/time";

/** The collector refuses what is further ahead of its clock. */
const FUTURE_LIMIT_US = 600_000_000;

export function HostHeader({ detail }: { detail: HostDetail }) {
  const { summary, latest } = detail;
  const facts = latest.host?.facts;
  return (
    <header className="space-y-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="min-w-0 text-2xl font-semibold tracking-tight break-words">{summary.name}</h1>
        <StatusBadge host={summary} />
      </div>
      <dl className="flex flex-wrap gap-x-7 gap-y-2 text-sm">
        <Fact label="Addresses">{summary.addresses.length > 0 ? summary.addresses.join(", ") : ABSENT}</Fact>
        <Fact label="System">{summary.os || ABSENT}</Fact>
        <Fact label="Kernel">{facts?.kernel || ABSENT}</Fact>
        <Fact label="Uptime">{summary.is_authenticated ? formatDuration(summary.uptime_s) : ABSENT}</Fact>
        <Fact label="Agent">{summary.agent_version || ABSENT}</Fact>
        <Fact label="First seen">{formatMoment(milliseconds(summary.first_seen_us))}</Fact>
        {!hasNotice(summary) && (
          <Fact label="Capture">
            <CaptureBadge capture={summary.capture} host={summary.name} />
          </Fact>
        )}
      </dl>
      {summary.status === "stale" && <StaleNotice host={summary} />}
      {summary.clock_wrong_by_us != null && <ClockNotice wrongByUs={summary.clock_wrong_by_us} />}
      {!summary.is_authenticated && <UnauthenticatedNotice />}
      {summary.cloned && <CloneNotice cloned={summary.cloned} />}
      {hasNotice(summary) && (
        <Notice
          icon={<Radar aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />}
          title={`Capture: ${CAPTURE_LABEL[summary.capture.method]}`}
        >
          <CaptureExplanation capture={summary.capture} />
        </Notice>
      )}
    </header>
  );
}

/** Whether the way that flows are seen leaves something out that the reader must know. */
function hasNotice({ capture }: HostSummary): boolean {
  return capture.method !== "af_packet" && capture.method !== "libpcap";
}

function ClockNotice({ wrongByUs }: { wrongByUs: number }) {
  const isRefused = wrongByUs > FUTURE_LIMIT_US;
  return (
    <Notice
      icon={<Clock3 aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />}
      title={`This host's clock is ${clockOff(wrongByUs)}`}
    >
      <p className="text-sm text-muted">
        {isRefused
          ? "That is more than ten minutes: its reports are refused until its clock is set."
          : "The times here are put right by the collector's clock. Set the host's clock, as by NTP."}
      </p>
    </Notice>
  );
}

function CloneNotice({ cloned }: { cloned: NonNullable<HostSummary["cloned"]> }) {
  return (
    <Notice
      icon={<TriangleAlert aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />}
      title="Cloned agent: enrol one of them again"
    >
      <p className="text-sm text-muted">
        Two machines use the credential of this host, as after a copy of its disk; first noticed{" "}
        <RelativeTime atUs={cloned.since_us} className="font-medium text-ink" />.{" "}
        {CLONE_MEANING[cloned.reason]}
      </p>
      <CopyableText text="bwmon-agent enrol" label="command that enrols" />
    </Notice>
  );
}

function UnauthenticatedNotice() {
  return (
    <Notice
      icon={<TriangleAlert aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />}
      title="Unauthenticated: its agent shows no credential"
    >
      <p className="text-sm text-muted">
        An agent of the original program reports for this host. Whoever may reach the collector's listener for
        such agents can say anything under this name. Install bwmon-agent on the host and enrol it:
      </p>
      <CopyableText text="bwmon-agent enrol" label="command that enrols" />
    </Notice>
  );
}

function StaleNotice({ host }: { host: HostSummary }) {
  return (
    <Notice
      icon={<TriangleAlert aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />}
      title="This host stopped reporting"
    >
      <p className="flex flex-wrap items-center gap-1.5 text-sm text-muted">
        <Clock3 aria-hidden="true" className="size-4" />
        <span>
          Its last report came <RelativeTime atUs={host.last_seen_us} className="font-medium text-ink" />. The
          figures below are the last known ones.
        </span>
      </p>
    </Notice>
  );
}

function Notice({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <div className="flex items-start gap-3 rounded-xl border border-warn/40 bg-warn-wash px-4 py-3">
      {icon}
      <div className="min-w-0 max-w-3xl space-y-1">
        <p className="font-medium">{title}</p>
        {children}
      </div>
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}
