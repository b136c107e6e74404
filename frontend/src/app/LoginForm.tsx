import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { isStatus } from "../lib/api-client";
import { useSession } from "../lib/queries";
import { useTitle } from "../lib/title";

/** Asks once for the token that the collector was started with. */
export function LoginForm() {
  useTitle("Sign in");
  const { signIn } = useSession();
  const [message, setMessage] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const [fieldId, helpId] = [useId(), useId()];
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token === "") {
      setMessage("Enter the token.");
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await signIn(token);
    } catch (error) {
      setMessage(refusal(error));
      setBusy(false);
      field.current?.select();
    }
  };

  return (
    <div className="mx-auto mt-[8vh] max-w-md rounded-xl border border-line bg-surface p-6 shadow-card">
      <h1 className="text-xl font-semibold tracking-tight">Sign in</h1>
      <form onSubmit={(event) => void submit(event)} className="mt-4 space-y-4" noValidate>
        <div className="space-y-1.5">
          <label htmlFor={fieldId} className="block text-sm font-medium">
            Token
          </label>
          <input
            ref={field}
            id={fieldId}
            type="password"
            name="token"
            autoComplete="current-password"
            aria-describedby={helpId}
            aria-invalid={message !== null}
            className="w-full rounded-lg border border-line-strong bg-canvas px-3 py-2 font-mono"
          />
          <p id={helpId} className="text-sm text-muted">
            This collector asks for the token that it was started with. It is in the collector's token file.
          </p>
        </div>
        <p role="alert" className="text-sm font-medium text-bad empty:hidden">
          {message}
        </p>
        <button
          type="submit"
          disabled={busy}
          className="w-full rounded-lg bg-accent px-4 py-2 font-medium text-accent-ink hover:opacity-90 disabled:opacity-60"
        >
          Sign in
        </button>
      </form>
    </div>
  );
}

function refusal(error: unknown): string {
  if (isStatus(error, 401)) return "This is not the collector's token.";
  return error instanceof Error ? error.message : "Signing in failed.";
}
