import { CopyableText } from "../../components/CopyableText";
import { Blank } from "../../components/states";

/** What to do before the first host reports. */
export function NoHostsYet() {
  return (
    <Blank title="No host has reported yet">
      <p>Start an agent on the machine that you want to see. It appears here with its first report.</p>
      <div className="text-left">
        <CopyableText text={`bwmon-agent run --collector ${window.location.origin}`} label="command" />
      </div>
      <p className="text-sm">
        <code className="font-mono">bwmon-agent doctor</code> tells what it can capture there, and what would
        let it capture more.
      </p>
    </Blank>
  );
}
