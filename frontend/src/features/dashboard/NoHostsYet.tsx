import { CopyableText } from "../../components/CopyableText";
import { Blank } from "../../components/states";

/** What to do before the first host reports. */
export function NoHostsYet() {
  return (
    <Blank title="No host has reported yet">
      <p>An agent on the machine that you want to see must be enrolled once. Print a token for it here:</p>
      <Command
        text={`bwmon-collector enrol-token --address ${collectorAddress(window.location)}`}
        label="command for the token"
      />
      <p className="text-sm">
        Run it with the settings of this collector: the same <code className="font-mono">--data-dir</code> or
        configuration file.
      </p>
      <p>On the machine, paste the token and start the agent. It appears here with its first report:</p>
      <Command text="bwmon-agent enrol" label="command that enrols" />
      <Command text="bwmon-agent" label="command that starts the agent" />
      <p className="text-sm">
        <code className="font-mono">bwmon-agent doctor</code> tells what it can capture there, and what would
        let it capture more.
      </p>
    </Blank>
  );
}

/** Host and port by which the page was reached; a URL leaves the port of its scheme out. */
function collectorAddress({ hostname, port, protocol }: Location): string {
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}

function Command({ text, label }: { text: string; label: string }) {
  return (
    <div className="text-left">
      <CopyableText text={text} label={label} />
    </div>
  );
}
