import type { ErrorComponentProps } from "@tanstack/react-router";
import { Failure } from "../components/states";

export function RouteFailure({ error }: ErrorComponentProps) {
  const cause = error instanceof Error ? error : new Error(String(error));
  return <Failure title="This view ran into an error" error={cause} retry={() => window.location.reload()} />;
}
