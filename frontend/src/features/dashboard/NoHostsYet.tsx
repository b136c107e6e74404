import { CopyableText } from "../../components/CopyableText";
import { Blank } from "../../components/states";
import { useHealth } from "../../lib/queries";

/** What to do before the first host reports. */
export function NoHostsYet() {
  const { data: health } = useHealth();
  const token = health?.auth_required ? " --token-file FILE" : "";
  return (
    <Blank title="No host has reported yet">
      <p>Start an agent on the machine that you want to see. It appears here with its first report.</p>
      <div className="text-left">
        <CopyableText text={`bwmon-agent --collector ${window.location.origin}${token}`} label="command" />
      </div>
      <p className="text-sm">
        <code className="font-mono">bwmon-agent doctor</code> tells what it can capture there, and what would
        let it capture more.
      </p>
    </Blank>
  );
}
