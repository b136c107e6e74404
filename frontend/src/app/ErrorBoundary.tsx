import { Component, type ReactNode } from "react";
import { Failure } from "../components/states";

interface State {
  error: Error | null;
}

/** Shows what broke instead of an empty page. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <main className="mx-auto max-w-xl p-6">
        <h1 className="sr-only">bwmon</h1>
        <Failure
          title="This page ran into an error"
          error={this.state.error}
          retry={() => window.location.reload()}
        />
      </main>
    );
  }
}
